import { describe, expect, test } from "vitest";
import { decided, faultsOf, injected } from "../../test/make/decided-pod.ts";
import type { Tweak } from "../../test/make/frozen.ts";
import { makeBinding, type MadeBinding } from "../../test/make/modelbinding.ts";
import { makeBuiltVersion, makeFailedVersion, namedVersion } from "../../test/make/modelversion.ts";
import { makeNode } from "../../test/make/node.ts";
import { makePod, makeTrainingPod, type MadePod } from "../../test/make/pod.ts";
import { makeSnapshot } from "../../test/make/snapshot.ts";
import { ANNOTATIONS } from "../api/annotations.ts";
import type { Container } from "../api/kube-types.ts";
import type { ModelBinding } from "../api/modelbinding.ts";
import type { ModelVersion } from "../api/modelversion.ts";
import { readStatus } from "../inject/serving-status.ts";
import { wantedBy } from "./pod.ts";
import type { Snapshot } from "./snapshot.ts";

type Annotations = Readonly<Record<string, string>>;

/** A namespace with versions mnist-v1 and mnist-v2, where these bindings are in effect. */
function bound(
  bindings: readonly ModelBinding[],
  versions: readonly ModelVersion[] = [makeBuiltVersion(), namedVersion("mnist-v2", 2)],
): Snapshot {
  return makeSnapshot(versions, (each) => {
    each.injectionEnabled = true;
    each.bindings = bindings;
  });
}

/** A pod with the label app=web, and these annotations. */
function web(annotations?: Annotations, tweak: Tweak<MadePod> = () => {}): MadePod {
  return makePod((pod) => {
    pod.metadata.labels = { app: "web" };
    if (annotations !== undefined) pod.metadata.annotations = { ...annotations };
    tweak(pod);
  });
}

function serving(serve: ModelBinding["spec"]["serve"], tweak: Tweak<MadeBinding> = () => {}) {
  return makeBinding((binding) => {
    binding.spec = { ...binding.spec, serve };
    tweak(binding);
  });
}

function mountsOf({ volumeMounts }: Container): readonly string[] {
  return (volumeMounts ?? []).map(({ name, mountPath }) => `${name} at ${mountPath}`);
}

describe("a pod that a binding selects", () => {
  test.each<[string, MadePod]>([
    ["without annotations", web()],
    ["with annotations of others", web({ "example.com/a": "b" })],
    [
      "with null for annotations",
      web(undefined, ({ metadata }) => void Object.assign(metadata, { annotations: null })),
    ],
  ])("%s gets its model, and says by which", (_, pod) => {
    const snapshot = bound([makeBinding()]);
    expect(decided(pod, snapshot)).toMatchObject({ reason: "Injected", warnings: [] });
    const stored = injected(pod, snapshot);
    expect(readStatus(stored)).toMatchObject({
      models: [{ modelVersion: "mnist-v1", mountPath: "/kubedl-model" }],
      binding: "web",
    });
  });

  test("gets it as the binding says", () => {
    const binding = serving({
      modelVersion: "mnist-v2",
      mountPath: "/m",
      delivery: "copy",
      containers: ["sidecar"],
    });
    const pod = web(undefined, ({ spec }) => void spec.containers.push({ name: "sidecar" }));
    const stored = injected(pod, { ...bound([binding]), nodes: [makeNode()] });
    expect(stored.spec.containers.map(mountsOf)).toEqual([[], ["kubedl-model at /m"]]);
    expect(readStatus(stored)).toMatchObject({ delivery: "copy" });
  });

  test("gets that of the older of two", () => {
    const older = serving({ modelVersion: "mnist-v2" }, ({ metadata }) => {
      metadata.name = "zoo";
      metadata.creationTimestamp = "2026-10-01T00:00:00Z";
    });
    expect(readStatus(injected(web(), bound([makeBinding(), older])))).toMatchObject({
      models: [{ modelVersion: "mnist-v2" }],
      binding: "zoo",
    });
  });

  test("is left alone while none is in effect", () => {
    expect(decided(web(), bound([]))).toMatchObject({ reason: "NothingAsked", operations: [] });
  });

  test("is left alone when the binding is being deleted", () => {
    const leaving = makeBinding(({ metadata }) => {
      metadata.deletionTimestamp = "2026-11-23T00:00:00Z";
    });
    expect(decided(web(), bound([leaving]))).toMatchObject({ reason: "NothingAsked" });
  });

  test("is left alone when the binding names no model", () => {
    expect(decided(web(), bound([serving({})]))).toMatchObject({ reason: "NothingAsked" });
  });

  test("is left alone when it opts out", () => {
    expect(decided(web({ [ANNOTATIONS.inject]: "false" }), bound([makeBinding()]))).toEqual({
      allowed: true,
      reason: "OptedOut",
      operations: [],
      warnings: [],
    });
  });

  test("is left alone, with a warning, when it is for Windows", () => {
    const pod = web(undefined, ({ spec }) => void (spec.os = { name: "windows" }));
    expect(decided(pod, bound([makeBinding()]))).toMatchObject({
      reason: "NotOurs",
      operations: [],
      warnings: [{ reason: "NotOurs" }],
    });
  });

  test("exports what it exports, whatever the binding serves", () => {
    const pod = makeTrainingPod(({ metadata }) => void (metadata.labels = { app: "web" }));
    expect(decided(pod, bound([makeBinding()])).reason).toBe("ExportHooked");
    expect(wantedBy(pod, [makeBinding()])).toEqual([]);
  });

  test("waits for the binding's version while it is not there", () => {
    expect(decided(web(), bound([makeBinding()], []))).toMatchObject({
      reason: "Gated",
      warnings: [{ reason: "ModelNotFound" }],
    });
  });
});

describe("the pod's own words", () => {
  const binding = serving({ modelVersion: "mnist-v1", mountPath: "/bound", delivery: "copy" });

  test.each<[string, Annotations]>([
    ["a version", { [ANNOTATIONS.modelVersion]: "mnist-v2" }],
    [
      "a list",
      { [ANNOTATIONS.models]: '[{"modelVersion":"mnist-v2","mountPath":"/kubedl-model"}]' },
    ],
  ])("by which it names %s win whole", (_, annotations) => {
    const stored = injected(web(annotations), { ...bound([binding]), nodes: [makeNode()] });
    expect(readStatus(stored)).toMatchObject({
      models: [{ modelVersion: "mnist-v2", mountPath: "/kubedl-model" }],
      delivery: "image-volume",
    });
    expect(readStatus(stored)).not.toHaveProperty("binding");
  });

  test("by which it names a Model win, though nothing of it is built", () => {
    expect(decided(web({ [ANNOTATIONS.model]: "bert" }), bound([binding]))).toMatchObject({
      reason: "Gated",
      warnings: [{ message: expect.stringContaining("Model bert does not exist") as unknown }],
    });
  });

  test("shape what the binding serves", () => {
    const pod = web(
      {
        [ANNOTATIONS.mountPath]: "/mine",
        [ANNOTATIONS.delivery]: "image-volume",
        [ANNOTATIONS.containers]: "server",
      },
      ({ spec }) => void spec.containers.push({ name: "sidecar" }),
    );
    const snapshot = { ...bound([binding]), nodes: [makeNode()] };
    expect(decided(pod, snapshot)).toMatchObject({ reason: "Injected", warnings: [] });
    const stored = injected(pod, snapshot);
    expect(stored.spec.containers.map(mountsOf)).toEqual([["kubedl-model at /mine"], []]);
    expect(readStatus(stored)).toMatchObject({ delivery: "image-volume", binding: "web" });
  });

  test("shape the loader of what the binding serves", () => {
    const resources = { requests: { cpu: "2" }, limits: { "ephemeral-storage": "1Gi" } };
    const pod = web({ [ANNOTATIONS.loaderResources]: JSON.stringify(resources) });
    expect(injected(pod, bound([binding])).spec.initContainers?.[0]?.resources).toEqual(resources);
  });

  test.each<[string, Annotations, string]>([
    [
      "a path that is none",
      { [ANNOTATIONS.mountPath]: "mine" },
      'metadata.annotations[model.kubedl.io/mount-path]: "mine" must be an absolute path without ".." and ":", and not /',
    ],
    [
      "a delivery that is none",
      { [ANNOTATIONS.delivery]: "magic" },
      'metadata.annotations[model.kubedl.io/delivery]: "magic" is not allowed; allowed: auto, copy, image-volume',
    ],
    [
      "a container that it does not have",
      { [ANNOTATIONS.containers]: "main" },
      'metadata.annotations[model.kubedl.io/containers]: the pod has no container "main"; it has server',
    ],
  ])("are denied when they shape it by %s", (_, annotations, fault) => {
    expect(faultsOf(web(annotations), bound([binding]))).toEqual(["InvalidAnnotation", fault]);
  });

  test("need the key that they need, binding or none", () => {
    expect(faultsOf(web({ [ANNOTATIONS.alias]: "production" }), bound([binding]))).toEqual([
      "ContradictingAnnotations",
      "metadata.annotations[model.kubedl.io/alias]: needs model.kubedl.io/model",
    ]);
  });
});

describe("a denial for what a binding asks names the binding", () => {
  const old = makeNode((node) => void (node.status.nodeInfo.kubeletVersion = "v1.34.2"));
  test.each<[string, Snapshot, readonly string[]]>([
    [
      "whose version failed",
      bound([makeBinding()], [makeFailedVersion()]),
      [
        "ModelBuildFailed",
        "ModelBinding web: spec.serve.modelVersion: the build of ModelVersion mnist-v1 failed: the directory is empty",
      ],
    ],
    [
      "that asks for an image volume which a node can not mount",
      {
        ...bound([serving({ modelVersion: "mnist-v1", delivery: "image-volume" })]),
        nodes: [old],
      },
      [
        "ImageVolumesUnsupported",
        'ModelBinding web: spec.serve.delivery: "image-volume" is not possible: node node-1 has Kubernetes 1.34.2, 1.35 is needed; use copy, or keep the pod from such nodes',
      ],
    ],
  ])("%s", (_, snapshot, faults) => {
    expect(faultsOf(web(), snapshot)).toEqual(faults);
  });
});

test("of the containers that a binding names a pod may have some, or none", () => {
  const some = bound([serving({ modelVersion: "mnist-v1", containers: ["main", "server"] })]);
  expect(decided(web(), some)).toMatchObject({ reason: "Injected" });
  const none = bound([serving({ modelVersion: "mnist-v1", containers: ["main"] })]);
  expect(decided(web(), none)).toMatchObject({ reason: "NothingAsked", operations: [] });
});

test("what a pod asks for is looked up, by its own words or by a binding's", () => {
  const bindings = [serving({ model: "mnist", alias: "production" })];
  expect(wantedBy(web(), bindings)).toEqual([
    { model: "mnist", alias: "production", boundAt: "/kubedl-model" },
  ]);
  expect(wantedBy(web({ [ANNOTATIONS.modelVersion]: "mnist-v1" }), bindings)).toEqual([
    { modelVersion: "mnist-v1" },
  ]);
  expect(wantedBy(web({ [ANNOTATIONS.inject]: "false" }), bindings)).toEqual([]);
  expect(wantedBy(makePod(), bindings)).toEqual([]);
});
