import { describe, expect, test } from "vitest";
import {
  DIGEST,
  makeBuiltVersion,
  makeFailedVersion,
  makeModelVersion,
} from "../../test/make/modelversion.ts";
import { makeModel } from "../../test/make/model.ts";
import { patched } from "../../test/make/patched.ts";
import { makeGatedPod, makePod, type MadePod } from "../../test/make/pod.ts";
import { ANNOTATIONS, LABELS } from "../api/annotations.ts";
import type { Model } from "../api/model.ts";
import type { ModelVersion } from "../api/modelversion.ts";
import { PENDING_IMAGE, isGatedServingPod } from "../inject/serving-hook.ts";
import type { Known } from "../inject/resolution.ts";
import { printStatus, readStatus, servedModels } from "../inject/serving-status.ts";
import type { Action } from "./action.ts";
import { reconcileGatedPod } from "./serving-gate.ts";

/** What is known where these versions, and nothing else, exist. */
function knowing(...versions: readonly ModelVersion[]): Known {
  const named = versions.map((version) => [version.metadata.name ?? "", version] as const);
  return { models: {}, versions: Object.fromEntries(named), siblings: [] };
}

const BUILT = knowing(makeBuiltVersion());
const IMAGE = `registry.example/models/mnist@${DIGEST}`;

function patchOf(actions: readonly Action[], pod: MadePod): MadePod {
  const [action] = actions;
  if (action?.type !== "patch") throw new Error("the first action is no patch");
  return patched(pod, action.operations);
}

describe("once the version is built", () => {
  const gated = makeGatedPod();
  const actions = reconcileGatedPod({ pod: gated, known: BUILT });

  test("one patch sets the image, lifts the gate, says so and ends the watch", () => {
    const after = patchOf(actions, gated);
    expect(after.spec.initContainers?.[0]?.image).toBe(IMAGE);
    expect(after.spec.schedulingGates).toEqual([]);
    expect(after.metadata.labels).toEqual({ [LABELS.served]: "true" });
    expect(servedModels(after)).toEqual([
      {
        wanted: { modelVersion: "mnist-v1" },
        modelVersion: "mnist-v1",
        digest: DIGEST,
        mountPath: "/kubedl-model",
      },
    ]);
  });

  test("the user is told", () => {
    expect(actions.slice(1)).toEqual([
      {
        type: "event",
        ref: expect.objectContaining({ kind: "Pod", name: "web" }) as unknown,
        kind: "Normal",
        reason: "ModelReady",
        message: `ModelVersion mnist-v1 is built: ${IMAGE}`,
      },
    ]);
  });

  test("the whole image is replaced, repository included", () => {
    const pending = makeGatedPod((each) => {
      each.spec.initContainers?.forEach((loader) => void (loader.image = PENDING_IMAGE));
    });
    const after = patchOf(reconcileGatedPod({ pod: pending, known: BUILT }), pending);
    expect(after.spec.initContainers?.[0]?.image).toBe(IMAGE);
  });

  test("the gates and labels of others stay", () => {
    const shared = makeGatedPod((each) => {
      each.spec.schedulingGates?.unshift({ name: "example.com/quota" });
      each.spec.initContainers?.unshift({ name: "first" });
      each.metadata.labels = { app: "web", ...each.metadata.labels };
    });
    const after = patchOf(reconcileGatedPod({ pod: shared, known: BUILT }), shared);
    expect(after.spec.schedulingGates).toEqual([{ name: "example.com/quota" }]);
    expect(after.spec.initContainers?.map(({ image }) => image)).toEqual([undefined, IMAGE]);
    expect(after.metadata.labels).toEqual({ app: "web", [LABELS.served]: "true" });
  });

  test.each<[string, (pod: MadePod) => void]>([
    ["is another of the same name", (pod) => void (pod.metadata.uid = "another")],
    [
      "has its gates in another order",
      (pod) => void pod.spec.schedulingGates?.unshift({ name: "x" }),
    ],
    ["has no gate of ours", (pod) => void (pod.spec.schedulingGates = [{ name: "x" }])],
    [
      "has its containers in another order",
      (pod) => void pod.spec.initContainers?.unshift({ name: "x" }),
    ],
    ["lost the label", (pod) => void (pod.metadata.labels = { [LABELS.gated]: "false" })],
  ])("the patch does not fit a pod that by now %s", (_, tweak) => {
    expect(() => patchOf(actions, makeGatedPod(tweak))).toThrow(/Test operation failed/);
  });

  test("a second pass asks for nothing", () => {
    const after = patchOf(actions, gated);
    expect(isGatedServingPod(after)).toBe(false);
    expect(reconcileGatedPod({ pod: after, known: BUILT })).toEqual([]);
  });
});

describe("a pod that has to wait", () => {
  test.each([
    ["for a build", makeModelVersion()],
    [
      "for a build that has begun",
      makeModelVersion((version) => {
        version.status = { imageBuildPhase: "ImageBuilding" };
      }),
    ],
  ])("%s is left as it is", (_, version) => {
    expect(reconcileGatedPod({ pod: makeGatedPod(), known: knowing(version) })).toEqual([]);
  });

  test("for a version that is built without a digest is told what would be right", () => {
    const version = makeModelVersion((each) => {
      each.status = { imageBuildPhase: "ImageBuildSucceeded", image: "registry.example/mnist:v1" };
    });
    expect(reconcileGatedPod({ pod: makeGatedPod(), known: knowing(version) })).toMatchObject([
      {
        type: "event",
        ref: { kind: "Pod" },
        kind: "Warning",
        reason: "ModelNotBuilt",
        message: expect.stringMatching(
          /has no digest.*name one that modelhook has built/,
        ) as string,
      },
    ]);
  });

  test("for a version that does not exist is told", () => {
    expect(reconcileGatedPod({ pod: makeGatedPod(), known: knowing() })).toMatchObject([
      {
        type: "event",
        ref: { kind: "Pod" },
        kind: "Warning",
        reason: "ModelNotFound",
        message: "waits: ModelVersion mnist-v1 does not exist",
      },
    ]);
  });
});

describe("when the build fails", () => {
  test("pod and owner are told, and the pod stays gated", () => {
    const pod = makeGatedPod((each) => {
      each.metadata.ownerReferences = [
        { apiVersion: "apps/v1", kind: "ReplicaSet", name: "web-1", uid: "rs", controller: true },
      ];
    });
    const message = "waits, but the build of ModelVersion mnist-v1 failed: the directory is empty";
    expect(reconcileGatedPod({ pod, known: knowing(makeFailedVersion()) })).toEqual([
      {
        type: "event",
        ref: expect.objectContaining({ kind: "Pod", name: "web" }) as unknown,
        kind: "Warning",
        reason: "ModelBuildFailed",
        message,
      },
      {
        type: "event",
        ref: {
          apiVersion: "apps/v1",
          kind: "ReplicaSet",
          name: "web-1",
          uid: "rs",
          namespace: "team-a",
        },
        kind: "Warning",
        reason: "ModelBuildFailed",
        message,
      },
    ]);
  });

  test("a pod without an owner is told alone", () => {
    expect(
      reconcileGatedPod({ pod: makeGatedPod(), known: knowing(makeFailedVersion()) }),
    ).toHaveLength(1);
  });
});

describe("a labelled pod without gate or loader", () => {
  test.each<[string, (pod: MadePod) => void]>([
    ["gate", (pod) => void delete pod.spec.schedulingGates],
    ["loader", (pod) => void delete pod.spec.initContainers],
  ])("is watched no more when it has no %s", (_, tweak) => {
    const pod = makeGatedPod(tweak);
    const after = patchOf(reconcileGatedPod({ pod, known: BUILT }), pod);
    expect(after).toEqual({
      ...pod,
      metadata: { ...pod.metadata, labels: { [LABELS.served]: "true" } },
    });
  });

  test("and without the label is left alone", () => {
    expect(reconcileGatedPod({ pod: makePod(), known: knowing() })).toEqual([]);
  });
});

test("a pod that is being deleted is left alone", () => {
  const pod = makeGatedPod((each) => {
    each.metadata.deletionTimestamp = "2024-01-01T00:00:00Z";
  });
  expect(reconcileGatedPod({ pod, known: BUILT })).toEqual([]);
});

describe("a pod of several models", () => {
  const models = [
    { wanted: { modelVersion: "mnist-v1" }, modelVersion: "mnist-v1", mountPath: "/models/mnist" },
    { wanted: { model: "letters", alias: "production" }, mountPath: "/models/letters" },
  ];
  const pod = makeGatedPod((each) => {
    const status = printStatus({ models, delivery: "copy", why: "because", binding: "web" });
    each.metadata.annotations = { [ANNOTATIONS.status]: status };
    const [first] = each.spec.initContainers ?? [];
    if (first === undefined) throw new Error("there is no loader");
    const command = [...(first.command ?? []).slice(0, -1), "model-2"];
    // Another webhook may have changed the order.
    each.spec.initContainers = [{ ...first, name: "kubedl-model-loader-2", command }, first];
  });
  const letters = makeBuiltVersion((version) => {
    version.metadata.name = "letters-v3";
    version.spec.modelName = "letters";
    version.spec.imageRepo = "registry.example/models/letters";
  });
  const model = makeModel((each) => {
    each.metadata.name = "letters";
    each.spec = { aliases: { production: "letters-v3" } };
  });
  const known = { ...knowing(makeBuiltVersion(), letters), models: { letters: model } };

  test("gets each into the loader that is for it, and keeps the rest of its status", () => {
    const after = patchOf(reconcileGatedPod({ pod, known }), pod);
    expect(after.spec.initContainers?.map(({ image }) => image)).toEqual([
      `registry.example/models/letters@${DIGEST}`,
      IMAGE,
    ]);
    expect(readStatus(after)).toMatchObject({
      models: [{ modelVersion: "mnist-v1" }, { modelVersion: "letters-v3", digest: DIGEST }],
      why: "because",
      binding: "web",
    });
  });

  test("waits for the last of them, and says what is in the way of it", () => {
    expect(reconcileGatedPod({ pod, known: { ...known, models: {} } })).toMatchObject([
      { type: "event", reason: "ModelNotFound", message: "waits: Model letters does not exist" },
    ]);
  });

  test("gets the version that a pod of the same template got, whatever the alias is by now", () => {
    const moved: Model = { ...model, spec: { aliases: { production: "letters-v4" } } };
    const sibling = makePod((each) => {
      const wanted = { model: "letters", alias: "production" };
      const got = { wanted, modelVersion: "letters-v3", digest: DIGEST, mountPath: "/letters" };
      const status = printStatus({ models: [got], delivery: "copy" });
      each.metadata.annotations = { [ANNOTATIONS.status]: status };
    });
    const after = patchOf(
      reconcileGatedPod({
        pod,
        known: { ...known, models: { letters: moved }, siblings: [sibling] },
      }),
      pod,
    );
    expect(servedModels(after)[1]?.modelVersion).toBe("letters-v3");
  });
});

test("a pod whose status was spoilt gets what its own annotations ask for", () => {
  const pod = makeGatedPod((each) => {
    each.metadata.annotations = {
      [ANNOTATIONS.modelVersion]: "mnist-v1",
      [ANNOTATIONS.status]: "x",
    };
  });
  const after = patchOf(reconcileGatedPod({ pod, known: BUILT }), pod);
  expect(after.spec.initContainers?.[0]?.image).toBe(IMAGE);
});

test("a pod of which nobody knows what it waits for is never let go", () => {
  const pod = makeGatedPod((each) => void (each.metadata.annotations = {}));
  expect(reconcileGatedPod({ pod, known: BUILT })).toMatchObject([
    { type: "event", kind: "Warning", reason: "InvalidAnnotation" },
  ]);
});

test("an image without a shell is never given to a pod that waits: nothing could copy its model", () => {
  const version = makeBuiltVersion((each) => void (each.status = { ...each.status, shell: false }));
  expect(reconcileGatedPod({ pod: makeGatedPod(), known: knowing(version) })).toMatchObject([
    { type: "event", kind: "Warning", reason: "NoShell" },
  ]);
});

test("a pod without the Secret that pulls the image is let go, and told", () => {
  const version = makeBuiltVersion((each) => {
    each.spec.builder = { pushSecret: { name: "push" } };
  });
  const actions = reconcileGatedPod({ pod: makeGatedPod(), known: knowing(version) });
  expect(actions.map((action) => (action.type === "event" ? action.reason : action.type))).toEqual([
    "patch",
    "ModelReady",
    "PullSecretMissing",
  ]);
});
