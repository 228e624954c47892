import { describe, expect, test } from "vitest";
import { decided, faultsOf, injected } from "../../test/make/decided-pod.ts";
import type { Tweak } from "../../test/make/frozen.ts";
import { makeModel } from "../../test/make/model.ts";
import {
  DIGEST,
  makeBuiltVersion,
  makeFailedVersion,
  makeModelVersion,
  namedVersion,
} from "../../test/make/modelversion.ts";
import { makeNode } from "../../test/make/node.ts";
import {
  makePod,
  makeServingPod,
  makeTrainingPod,
  makeUsingPod,
  type MadePod,
} from "../../test/make/pod.ts";
import { makePolicy, makeSnapshot } from "../../test/make/snapshot.ts";
import { ANNOTATIONS } from "../api/annotations.ts";
import type { Container } from "../api/kube-types.ts";
import { PENDING_IMAGE } from "../inject/serving-hook.ts";
import { readStatus } from "../inject/serving-status.ts";
import type { Snapshot } from "./snapshot.ts";

const BUILT = makeSnapshot([makeBuiltVersion()]);
const IMAGE = `registry.example/models/mnist@${DIGEST}`;

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

/** A pod that asks for Model mnist, or for an alias of it. */
function asking(alias?: string, tweak: Tweak<MadePod> = () => {}): MadePod {
  return makePod((pod) => {
    pod.metadata.annotations = { [ANNOTATIONS.model]: "mnist" };
    if (alias !== undefined) pod.metadata.annotations[ANNOTATIONS.alias] = alias;
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
    const { spec } = injected(pod, BUILT);
    expect(decided(pod, BUILT)).toMatchObject({ reason: "Injected", warnings: [] });
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

  test("gets it in a sidecar that starts before the containers, and after the model is there", () => {
    const pod = makeServingPod((each) => {
      each.spec.initContainers = [{ name: "proxy", restartPolicy: "Always" }];
    });
    const { spec } = injected(pod, BUILT);
    expect(spec.initContainers?.map(({ name, restartPolicy }) => [name, restartPolicy])).toEqual([
      ["kubedl-model-loader", undefined],
      ["proxy", "Always"],
    ]);
    expect(spec.initContainers?.slice(1).map(mountsOf)).toEqual([
      ["kubedl-model at /kubedl-model"],
    ]);
  });

  test("gets it in the containers that it names", () => {
    const pod = annotated(ANNOTATIONS.containers, "sidecar", (each) => {
      each.spec.containers.push({ name: "sidecar" });
    });
    expect(injected(pod, BUILT).spec.containers.map(mountsOf)).toEqual([
      [],
      ["kubedl-model at /kubedl-model"],
    ]);
  });

  test("gets it at the path that it names", () => {
    const { spec } = injected(annotated(ANNOTATIONS.mountPath, "/models/mnist"), BUILT);
    expect(spec.containers.map(mountsOf)).toEqual([["kubedl-model at /models/mnist"]]);
    expect(spec.containers[0].env).toEqual([{ name: "KUBEDL_MODEL_PATH", value: "/models/mnist" }]);
  });

  test("gets the very image that was verified", () => {
    expect(injected(makeServingPod(), BUILT).spec.initContainers?.[0]?.image).toBe(IMAGE);
  });

  test.each([{ value: "/mine" }, { valueFrom: { fieldRef: { fieldPath: "metadata.name" } } }, {}])(
    "keeps a variable of that name which the user set: %j",
    (set) => {
      const env = [{ name: "KUBEDL_MODEL_PATH", ...set }];
      const pod = makeServingPod((each) => void (each.spec.containers[0].env = env));
      expect(injected(pod, BUILT).spec.containers[0].env).toEqual(env);
    },
  );

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
    const pod = makeServingPod((each) => void (each.spec.nodeName = "node-1"));
    expect(decided(pod, BUILT)).toMatchObject({ reason: "Injected" });
  });

  test("does not get what a status of the user's says", () => {
    const pod = annotated(ANNOTATIONS.status, '{"models":[{"digest":"sha256:forged"}]}');
    expect(injected(pod, BUILT)).toEqual(injected(makeServingPod(), BUILT));
  });

  test("says in its status how it is delivered, and why", () => {
    expect(readStatus(injected(makeServingPod(), BUILT))).toMatchObject({
      delivery: "copy",
      why: "no node is known that the pod can go to",
    });
    const asked = injected(annotated(ANNOTATIONS.delivery, "copy"), BUILT);
    expect(readStatus(asked)).not.toHaveProperty("why");
  });

  test.each<[string, Tweak<MadePod>]>([
    ["has no lists", () => {}],
    [
      "has null for every list and map",
      ({ metadata, spec }) => {
        Object.assign(metadata, { labels: null });
        const lists = ["volumes", "initContainers", "imagePullSecrets", "schedulingGates"];
        for (const list of lists) Object.assign(spec, { [list]: null });
        Object.assign(spec.containers[0], { env: null, volumeMounts: null, resources: null });
        Object.assign(spec, { nodeSelector: null, tolerations: null, affinity: null, os: null });
      },
    ],
    [
      "has empty lists and maps",
      ({ metadata, spec }) => {
        metadata.labels = {};
        const lists = ["volumes", "initContainers", "imagePullSecrets", "schedulingGates"];
        for (const list of lists) Object.assign(spec, { [list]: [] });
        Object.assign(spec.containers[0], { env: [], volumeMounts: [], resources: {} });
      },
    ],
  ])("gets it where it %s", (_, tweak) => {
    const { metadata, spec } = injected(makeServingPod(tweak), BUILT);
    expect(metadata.labels).toEqual({ "model.kubedl.io/served": "true" });
    expect(spec.volumes?.map(({ name }) => name)).toEqual(["kubedl-model", "kubedl-no-token"]);
    expect(spec.initContainers?.map(({ name }) => name)).toEqual(["kubedl-model-loader"]);
    expect(spec.imagePullSecrets).toEqual([{ name: "regcred" }]);
    expect(spec.containers.map(mountsOf)).toEqual([["kubedl-model at /kubedl-model"]]);
    expect(spec.containers[0].env).toHaveLength(1);
  });
});

describe("a pod that asks for a Model", () => {
  const versions = [
    makeBuiltVersion(),
    namedVersion(
      "mnist-v2",
      2,
      makeBuiltVersion((each) => {
        each.status = { ...each.status, digest: `sha256:${"b".repeat(64)}` };
      }),
    ),
  ];
  const snapshot = makeSnapshot(versions, (each) => {
    each.models = {
      mnist: makeModel((model) => {
        model.spec = { aliases: { production: "mnist-v1" } };
        model.status = { latestVersion: { modelVersion: "mnist-v2", imageName: "r/mnist:2" } };
      }),
    };
  });

  test("gets its latest version", () => {
    const pod = injected(asking(), snapshot);
    expect(pod.spec.initContainers?.[0]?.image).toMatch(/@sha256:b+$/);
    expect(readStatus(pod)?.models).toEqual([
      {
        wanted: { model: "mnist" },
        modelVersion: "mnist-v2",
        digest: `sha256:${"b".repeat(64)}`,
        mountPath: "/kubedl-model",
      },
    ]);
  });

  test("gets the version of an alias", () => {
    const pod = injected(asking("production"), snapshot);
    expect(pod.spec.initContainers?.[0]?.image).toBe(IMAGE);
    expect(readStatus(pod)?.models).toMatchObject([
      { wanted: { model: "mnist", alias: "production" }, modelVersion: "mnist-v1" },
    ]);
  });

  test("gets what its siblings got", () => {
    const siblings = [makeUsingPod(() => {}, { wanted: { model: "mnist" } })];
    const pod = injected(asking(), { ...snapshot, siblings });
    expect(readStatus(pod)?.models).toMatchObject([{ modelVersion: "mnist-v1", digest: DIGEST }]);
  });

  test.each<[string, MadePod, Snapshot]>([
    ["the Model is not there", asking(), makeSnapshot()],
    [
      "nothing is built",
      asking(),
      makeSnapshot([], (each) => void (each.models = { mnist: makeModel() })),
    ],
    ["it has no such alias", asking("canary"), snapshot],
  ])("waits when %s, and it is not certain for which version", (_, pod, known) => {
    expect(decided(pod, known)).toMatchObject({ reason: "Gated", warnings: [{}] });
    const stored = injected(pod, known);
    expect(stored.spec.initContainers?.[0]?.image).toBe(PENDING_IMAGE);
    expect(readStatus(stored)?.models).toEqual([
      { wanted: expect.anything() as unknown, mountPath: "/kubedl-model" },
    ]);
  });

  test("waits for the version that an alias names, which may be another by then", () => {
    const known = makeSnapshot(
      [makeModelVersion()],
      (each) => void (each.models = snapshot.models),
    );
    const stored = injected(asking("production"), known);
    expect(stored.spec.initContainers?.[0]?.image).toMatch(/^registry\.example\/models\/mnist@/);
    expect(readStatus(stored)?.models[0]).not.toHaveProperty("modelVersion", "mnist-v1");
  });

  test("whose version failed is denied where it asks for it", () => {
    const known = makeSnapshot(
      [makeFailedVersion()],
      (each) => void (each.models = snapshot.models),
    );
    expect(faultsOf(asking("production"), known)).toEqual([
      "ModelBuildFailed",
      "metadata.annotations[model.kubedl.io/model]: the build of ModelVersion mnist-v1 failed: the directory is empty",
    ]);
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
  ])("%s waits, with a warning", (_, snapshot, warning) => {
    expect(decided(makeServingPod(), snapshot)).toMatchObject({
      allowed: true,
      reason: "Gated",
      warnings: [{ message: warning }],
    });
  });

  test("and was stored without a spec waits like one that is unknown", () => {
    const version = makeModelVersion((each) => void Object.assign(each, { spec: undefined }));
    const pod = injected(makeServingPod(), makeSnapshot([version]));
    expect(pod.spec.initContainers?.[0]?.image).toBe(PENDING_IMAGE);
  });

  test("keeps the gates of others", () => {
    const pod = makeServingPod((each) => void (each.spec.schedulingGates = [{ name: "quota" }]));
    expect(injected(pod, makeSnapshot()).spec.schedulingGates).toEqual([
      { name: "quota" },
      { name: "model.kubedl.io/build" },
    ]);
  });

  test("gets a copy, and is told so, though it asks for an image volume", () => {
    const pod = annotated(ANNOTATIONS.delivery, "image-volume");
    const snapshot = makeSnapshot([makeModelVersion()], (each) => void (each.nodes = [makeNode()]));
    expect(decided(pod, snapshot)).toMatchObject({
      reason: "Gated",
      warnings: [
        { reason: "ModelNotBuilt" },
        {
          reason: "DeliveredByCopy",
          message:
            "the model is copied, though an image volume is asked for: of a pod that waits only images can be changed",
        },
      ],
    });
    expect(readStatus(injected(pod, snapshot))).toMatchObject({
      delivery: "copy",
      why: "the pod waits for a build, and only images of a pod that waits can be changed",
    });
  });

  test("can not have its node", () => {
    const pod = makeServingPod((each) => void (each.spec.nodeName = "node-1"));
    expect(faultsOf(pod, makeSnapshot())).toEqual([
      "NodeNameWithGate",
      'spec.nodeName: "node-1" is set while the model is not built; a pod that has its node already can not wait: build ModelVersion mnist-v1 first, or use nodeSelector or affinity',
    ]);
    const production = asking("production", (each) => void (each.spec.nodeName = "node-1"));
    expect(faultsOf(production, makeSnapshot())[1]).toContain(
      "build alias production of Model mnist first",
    );
  });

  test.each(["", null, undefined])("has no node yet by the name %j", (nodeName) => {
    const pod = makeServingPod((each) => void Object.assign(each.spec, { nodeName }));
    expect(decided(pod, makeSnapshot())).toMatchObject({ reason: "Gated" });
  });

  test("and never will be is denied with the reason", () => {
    expect(faultsOf(makeServingPod(), makeSnapshot([makeFailedVersion()]))).toEqual([
      "ModelBuildFailed",
      "metadata.annotations[model.kubedl.io/model-version]: the build of ModelVersion mnist-v1 failed: the directory is empty",
    ]);
  });

  test("and will have no shell is denied, since it can be a copy only", () => {
    const version = makeModelVersion(({ spec }) => void (spec.builder = { baseImage: "scratch" }));
    expect(faultsOf(makeServingPod(), makeSnapshot([version]))[0]).toBe("NoShell");
    const policy = makePolicy((each) => void (each.baseImages = ["scratch"]));
    const snapshot = makeSnapshot([makeModelVersion()], (each) => void (each.policy = policy));
    expect(faultsOf(makeServingPod(), snapshot)[0]).toBe("NoShell");
  });

  test.each(["constructor", "valueof"])("and is called %s waits like any other", (name) => {
    expect(decided(annotated(ANNOTATIONS.modelVersion, name), makeSnapshot())).toMatchObject({
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
    expect(faultsOf(pod, BUILT)).toEqual([
      "NameConflict",
      'spec.volumes[0].name: "kubedl-no-token" is reserved for the model; name the volume differently',
      'spec.initContainers[0].name: "kubedl-model-loader" is reserved for the model\'s loader; name the container differently',
    ]);
  });

  test("that mounts something else at the path, in a container that would get the model", () => {
    expect(faultsOf(makeServingPod(mounting), BUILT)).toEqual([
      "MountConflict",
      'spec.initContainers[0].volumeMounts[0].mountPath: container init already mounts "data" at /kubedl-model; remove that mount or choose another path for the model',
    ]);
    expect(decided(annotated(ANNOTATIONS.containers, "server", mounting), BUILT)).toMatchObject({
      reason: "Injected",
    });
  });

  test.each([
    ["", ['""']],
    ["server,", ['""']],
    ["srv, other", ['"srv"', '"other"']],
    ["kubedl-model-loader", ['"kubedl-model-loader"']],
  ])("that names the containers %j", (value, unknown) => {
    expect(faultsOf(annotated(ANNOTATIONS.containers, value), BUILT)).toEqual([
      "InvalidAnnotation",
      ...unknown.map(
        (name) =>
          `metadata.annotations[model.kubedl.io/containers]: the pod has no container ${name}; it has server`,
      ),
    ]);
  });
});

describe("a pod that is larger than pods are", () => {
  test("gets the model in a thousand containers, and is denied with more", () => {
    expect(injected(makeServingPod(many(1000)), BUILT).spec.containers.at(-1)).toMatchObject({
      volumeMounts: [{ name: "kubedl-model" }],
    });
    expect(faultsOf(makeServingPod(many(1001)), BUILT)).toEqual([
      "InvalidObject",
      "spec.containers: the pod has 1001 containers; a model can be given to pods of at most 1000",
    ]);
    const init = makeServingPod(({ spec }) => {
      spec.initContainers = Array.from({ length: 1000 }, (_, index) => ({ name: `i${index}` }));
    });
    expect(faultsOf(init, BUILT)[0]).toBe("InvalidObject");
    expect(faultsOf(makeTrainingPod(many(1001)), BUILT)[0]).toBe("InvalidObject");
  });

  test("and asks for nothing is let in as it is", () => {
    expect(decided(makePod(many(1001)), BUILT)).toMatchObject({ reason: "NothingAsked" });
  });

  test("is told of a few of its containers", () => {
    const pod = annotated(ANNOTATIONS.containers, "main", many(200, "x".repeat(1000)));
    const name = "x".repeat(63);
    expect(faultsOf(pod, BUILT)).toEqual([
      "InvalidAnnotation",
      `metadata.annotations[model.kubedl.io/containers]: the pod has no container "main"; it has server, ${Array.from({ length: 7 }, () => name).join(", ")} and 192 more`,
    ]);
  });

  test("is told of a container that it names many times once", () => {
    const pod = annotated(
      ANNOTATIONS.containers,
      Array.from({ length: 1000 }, () => "main").join(),
    );
    expect(faultsOf(pod, BUILT)).toHaveLength(2);
  });

  test("is told of a hundred mounts that are in the way", () => {
    const pod = makeServingPod(({ spec }) => {
      spec.containers[0].volumeMounts = Array.from({ length: 500 }, () => ({
        name: "d".repeat(1000),
        mountPath: "/kubedl-model",
      }));
    });
    const decision = decided(pod, BUILT);
    expect(decision).toMatchObject({
      reason: "MountConflict",
      message: expect.stringMatching(/; and 400 more faults$/) as unknown,
    });
    expect(decision.allowed || decision.message.length).toBeLessThan(50_000);
  });
});

function many(count: number, name = "c"): Tweak<MadePod> {
  return ({ spec }) => {
    for (let index = 1; index < count; index++) spec.containers.push({ name: `${name}${index}` });
  };
}
