import { describe, expect, test } from "vitest";
import type { Tweak } from "../../test/make/frozen.ts";
import {
  DIGEST,
  makeBuiltVersion,
  makeFailedVersion,
  makeModelVersion,
} from "../../test/make/modelversion.ts";
import { patched } from "../../test/make/patched.ts";
import { makeServingPod, type MadePod } from "../../test/make/pod.ts";
import { makeSnapshot } from "../../test/make/snapshot.ts";
import { ANNOTATIONS } from "../api/annotations.ts";
import type { Container } from "../api/kube-types.ts";
import { readIntent } from "../inject/intent.ts";
import type { Decision } from "./decision.ts";
import { decideServingPod } from "./serving-pod.ts";
import type { Snapshot } from "./snapshot.ts";

const BUILT = makeSnapshot([makeBuiltVersion()]);

function decide(pod: MadePod, snapshot: Snapshot = BUILT): Decision {
  const read = readIntent(pod.metadata.annotations, "metadata.annotations");
  if (!read.ok || read.intent.serve === undefined) throw new Error("the pod asks for no model");
  return decideServingPod(pod, read.intent.serve, snapshot, read.warnings);
}

function injected(pod: MadePod, snapshot?: Snapshot): MadePod {
  const decision = decide(pod, snapshot);
  if (!decision.allowed) throw new Error(decision.message);
  return patched(pod, decision.operations);
}

function faultsOf(pod: MadePod, snapshot?: Snapshot): readonly string[] {
  const decision = decide(pod, snapshot);
  return decision.allowed
    ? []
    : [decision.reason, ...decision.causes.map(({ field, message }) => `${field}: ${message}`)];
}

function mountsOf({ volumeMounts }: Container): readonly string[] {
  return (volumeMounts ?? []).map(({ name, mountPath }) => `${name} at ${mountPath}`);
}

/** The pod with one annotation more. */
function annotated(key: string, value: string, tweak: Tweak<MadePod> = () => {}): MadePod {
  return makeServingPod((pod) => {
    pod.metadata.annotations = { ...pod.metadata.annotations, [key]: value };
    tweak(pod);
  });
}

const mounting: Tweak<MadePod> = (each) => {
  each.spec.initContainers = [
    { name: "init", volumeMounts: [{ name: "data", mountPath: "/kubedl-model/" }] },
  ];
};

describe("a pod whose version is built", () => {
  test("gets the model in every container, init containers that come later included", () => {
    const pod = makeServingPod((each) => {
      each.spec.initContainers = [{ name: "warm-up" }];
      each.spec.containers.push({ name: "sidecar" });
    });
    const { spec } = injected(pod);
    expect(decide(pod)).toMatchObject({ reason: "Injected", warnings: [] });
    expect(spec.initContainers?.map(({ name }) => name)).toEqual([
      "kubedl-model-loader",
      "warm-up",
    ]);
    const others = [...(spec.initContainers ?? []).slice(1), ...spec.containers];
    expect(others.map(mountsOf)).toEqual([
      ["kubedl-model at /kubedl-model"],
      ["kubedl-model at /kubedl-model"],
      ["kubedl-model at /kubedl-model"],
    ]);
  });

  test("gets it in the containers that it names", () => {
    const pod = annotated(ANNOTATIONS.containers, "sidecar", (each) => {
      each.spec.containers.push({ name: "sidecar" });
    });
    expect(injected(pod).spec.containers.map(mountsOf)).toEqual([
      [],
      ["kubedl-model at /kubedl-model"],
    ]);
  });

  test("gets it at the path that it names", () => {
    const { spec } = injected(annotated(ANNOTATIONS.mountPath, "/models/mnist"));
    expect(spec.containers.map(mountsOf)).toEqual([["kubedl-model at /models/mnist"]]);
    expect(spec.containers[0].env).toEqual([{ name: "KUBEDL_MODEL_PATH", value: "/models/mnist" }]);
  });

  test("gets the very image that was verified", () => {
    const image = `registry.example/models/mnist@${DIGEST}`;
    expect(injected(makeServingPod()).spec.initContainers?.[0]?.image).toBe(image);
  });

  test("keeps a variable of that name which the user set", () => {
    const env = [{ name: "KUBEDL_MODEL_PATH", value: "/mine" }];
    const pod = makeServingPod((each) => {
      each.spec.containers[0].env = env;
    });
    expect(injected(pod).spec.containers[0].env).toEqual(env);
  });

  test("is pulled with the Secret that pushed it", () => {
    const version = makeBuiltVersion((each) => {
      each.spec.builder = { pushSecret: { name: "push" } };
    });
    expect(injected(makeServingPod(), makeSnapshot([version])).spec.imagePullSecrets).toEqual([
      { name: "push" },
      { name: "regcred" },
    ]);
  });

  test("may have its node", () => {
    const pod = makeServingPod((each) => {
      each.spec.nodeName = "node-1";
    });
    expect(decide(pod)).toMatchObject({ reason: "Injected" });
  });

  test("does not get what a status of the user's says", () => {
    const pod = annotated(ANNOTATIONS.status, '{"digest":"sha256:forged"}');
    expect(injected(pod)).toEqual(injected(makeServingPod()));
  });
});

describe("a pod whose version is not built", () => {
  test.each<[string, Snapshot, string]>([
    [
      "yet",
      makeSnapshot([makeModelVersion()]),
      "ModelVersion mnist-v1 is not built yet; the pod waits behind the scheduling gate model.kubedl.io/build",
    ],
    [
      "by modelhook",
      makeSnapshot([makeBuiltVersion(({ status }) => void delete status?.digest)]),
      "ModelVersion mnist-v1 is built, but its status has no digest: another controller built it, and its tag may name anything by now; name one that modelhook has built; the pod waits behind the scheduling gate model.kubedl.io/build",
    ],
    [
      "and does not exist",
      makeSnapshot(),
      "ModelVersion mnist-v1 does not exist; the pod waits behind the scheduling gate model.kubedl.io/build",
    ],
    [
      "and may be misspelt",
      makeSnapshot([], (each) => void (each.versionNames = ["resnet", "mnist-v10"])),
      "ModelVersion mnist-v1 does not exist; the pod waits behind the scheduling gate model.kubedl.io/build; did you mean mnist-v10?",
    ],
  ])("%s waits, with a warning", (_, snapshot, warning) => {
    expect(decide(makeServingPod(), snapshot)).toMatchObject({
      allowed: true,
      reason: "Gated",
      warnings: [{ message: warning }],
    });
  });

  test("and was stored without a spec waits like one that is unknown", () => {
    const version = makeModelVersion((each) => void Object.assign(each, { spec: undefined }));
    const pod = injected(makeServingPod(), makeSnapshot([version]));
    expect(pod.spec.initContainers?.[0]?.image).toMatch(/^modelhook\.invalid\//);
  });

  test("can not have its node", () => {
    const pod = makeServingPod((each) => {
      each.spec.nodeName = "node-1";
    });
    expect(faultsOf(pod, makeSnapshot())).toEqual([
      "NodeNameWithGate",
      'spec.nodeName: "node-1" is set while the model is not built; a pod that has its node already can not wait: build ModelVersion mnist-v1 first, or use nodeSelector or affinity',
    ]);
  });

  test("and never will be is denied with the reason", () => {
    expect(faultsOf(makeServingPod(), makeSnapshot([makeFailedVersion()]))).toEqual([
      "ModelBuildFailed",
      "metadata.annotations[model.kubedl.io/model-version]: the build of ModelVersion mnist-v1 failed: the directory is empty",
    ]);
    const silent = makeModelVersion((version) => {
      version.status = { imageBuildPhase: "ImageBuildFailed" };
    });
    expect(faultsOf(makeServingPod(), makeSnapshot([silent]))[1]).toContain("no reason given");
  });

  test.each(["constructor", "valueof"])("and is called %s waits like any other", (name) => {
    expect(decide(annotated(ANNOTATIONS.modelVersion, name), makeSnapshot())).toMatchObject({
      reason: "Gated",
    });
  });
});

describe("a pod is denied", () => {
  test("that uses our volume or our container for something else", () => {
    const pod = makeServingPod((each) => {
      each.spec.volumes = [{ name: "kubedl-no-token", emptyDir: {} }];
      each.spec.initContainers = [{ name: "kubedl-model-loader" }];
    });
    expect(faultsOf(pod)).toEqual([
      "NameConflict",
      'spec.volumes[0].name: "kubedl-no-token" is reserved for the model; name the volume differently',
      'spec.initContainers[0].name: "kubedl-model-loader" is reserved for the model\'s loader; name the container differently',
    ]);
  });

  test("that mounts something else at the path, in a container that would get the model", () => {
    expect(faultsOf(makeServingPod(mounting))).toEqual([
      "MountConflict",
      'spec.initContainers[0].volumeMounts[0].mountPath: container init already mounts "data" at /kubedl-model; remove that mount or choose another path for the model',
    ]);
    expect(decide(annotated(ANNOTATIONS.containers, "server", mounting))).toMatchObject({
      reason: "Injected",
    });
  });

  test.each([
    ["", ['""']],
    ["server,", ['""']],
    ["srv, other", ['"srv"', '"other"']],
  ])("that names the containers %j", (value, unknown) => {
    expect(faultsOf(annotated(ANNOTATIONS.containers, value))).toEqual([
      "InvalidAnnotation",
      ...unknown.map(
        (name) =>
          `metadata.annotations[model.kubedl.io/containers]: the pod has no container ${name}; it has server`,
      ),
    ]);
  });
});

describe("a pod that is injected already", () => {
  test("is not injected again", () => {
    expect(decide(injected(makeServingPod()))).toMatchObject({
      reason: "AlreadyInjected",
      operations: [],
    });
  });

  test("is left alone though its version failed since", () => {
    const pod = injected(makeServingPod());
    expect(decide(pod, makeSnapshot([makeFailedVersion()]))).toMatchObject({ operations: [] });
  });

  test("gets the model in a container that another webhook added", () => {
    const before = injected(makeServingPod());
    const after = injected({
      ...before,
      spec: { ...before.spec, containers: [{ name: "late" }, ...before.spec.containers] },
    });
    expect(after.spec.containers.map(mountsOf)).toEqual([
      ["kubedl-model at /kubedl-model"],
      ["kubedl-model at /kubedl-model"],
    ]);
    expect(after.spec.initContainers).toEqual(before.spec.initContainers);
  });

  test("does not get it in an init container that another webhook put before the loader", () => {
    const before = injected(makeServingPod());
    const early: MadePod = {
      ...before,
      spec: {
        ...before.spec,
        initContainers: [
          { name: "early" },
          ...(before.spec.initContainers ?? []),
          { name: "late" },
        ],
      },
    };
    expect(decide(early).warnings).toEqual([
      {
        reason: "StartsBeforeModel",
        message: "init container early starts before the model is there and does not get it",
      },
    ]);
    expect(injected(early).spec.initContainers?.map(mountsOf)).toEqual([
      [],
      expect.anything(),
      ["kubedl-model at /kubedl-model"],
    ]);
  });

  test("does not get it in a container that it does not name", () => {
    const before = injected(annotated(ANNOTATIONS.containers, "server"));
    const late: MadePod = {
      ...before,
      spec: { ...before.spec, containers: [{ name: "late" }, ...before.spec.containers] },
    };
    expect(injected(late)).toEqual(late);
  });

  test("by KubeDL is left alone", () => {
    const pod = makeServingPod((each) => {
      each.spec.initContainers = [
        {
          name: "kubedl-model-loader",
          volumeMounts: [{ name: "kubedl-model-loader", mountPath: "/mnt/kubedl-model/" }],
        },
      ];
    });
    expect(decide(pod)).toMatchObject({ reason: "AlreadyInjected", operations: [] });
  });
});
