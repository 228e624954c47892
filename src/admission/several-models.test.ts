import { describe, expect, test } from "vitest";
import { decided, faultsOf, injected } from "../../test/make/decided-pod.ts";
import type { Tweak } from "../../test/make/frozen.ts";
import { makeModel } from "../../test/make/model.ts";
import {
  makeBuiltVersion,
  makeFailedVersion,
  makeModelVersion,
  namedVersion,
} from "../../test/make/modelversion.ts";
import { makeNode } from "../../test/make/node.ts";
import { makePod, type MadePod } from "../../test/make/pod.ts";
import { makeSnapshot } from "../../test/make/snapshot.ts";
import { ANNOTATIONS } from "../api/annotations.ts";
import type { Container } from "../api/kube-types.ts";
import type { ModelVersion } from "../api/modelversion.ts";
import { readStatus } from "../inject/serving-status.ts";

const MIB = 2 ** 20;
const TWO = [
  { modelVersion: "mnist-v1", mountPath: "/models/mnist" },
  { modelVersion: "bert-v1", mountPath: "/models/bert" },
];

function built(name: string, size: number): ModelVersion {
  const [modelName = ""] = name.split("-");
  return namedVersion(
    name,
    1,
    makeBuiltVersion((version) => {
      const digest = `sha256:${modelName.padEnd(64, "0")}`;
      version.spec = {
        ...version.spec,
        modelName,
        imageRepo: `registry.example/models/${modelName}`,
        builder: { pushSecret: { name: `push-${modelName}` } },
      };
      version.status = { ...version.status, digest, size: size * MIB };
    }),
  );
}

const MNIST = built("mnist-v1", 100);
const BERT = built("bert-v1", 50);
const BOTH = makeSnapshot([MNIST, BERT]);
const MOUNTED = makeSnapshot([MNIST, BERT], (each) => void (each.nodes = [makeNode()]));

function asking(list: unknown, tweak: Tweak<MadePod> = () => {}): MadePod {
  return makePod((pod) => {
    pod.metadata.annotations = { [ANNOTATIONS.models]: JSON.stringify(list) };
    tweak(pod);
  });
}

function mountsOf({ volumeMounts }: Container): readonly string[] {
  return (volumeMounts ?? []).map(
    ({ name, subPath, mountPath }) => `${name}/${subPath} at ${mountPath}`,
  );
}

describe("a pod that asks for two models", () => {
  test("gets a copy of each, in room for both", () => {
    const { spec } = injected(asking(TWO), BOTH);
    expect(
      spec.initContainers?.map(({ name, image, resources }) => [
        name,
        image?.replace(/@.*/, ""),
        resources?.requests?.["ephemeral-storage"],
      ]),
    ).toEqual([
      ["kubedl-model-loader", "registry.example/models/mnist", "110Mi"],
      ["kubedl-model-loader-2", "registry.example/models/bert", "165Mi"],
    ]);
    expect(spec.volumes?.[0]).toEqual({ name: "kubedl-model", emptyDir: { sizeLimit: "165Mi" } });
    expect(spec.containers.map(mountsOf)).toEqual([
      ["kubedl-model/model at /models/mnist", "kubedl-model/model-2 at /models/bert"],
    ]);
  });

  test("gets a volume of each where its nodes can", () => {
    const { spec } = injected(asking(TWO), MOUNTED);
    expect(
      spec.volumes?.map(({ name, image }) => [name, image?.reference?.replace(/@.*/, "")]),
    ).toEqual([
      ["kubedl-model", "registry.example/models/mnist"],
      ["kubedl-model-2", "registry.example/models/bert"],
    ]);
    expect(spec.containers.map(mountsOf)).toEqual([
      ["kubedl-model/kubedl-model at /models/mnist", "kubedl-model-2/kubedl-model at /models/bert"],
    ]);
  });

  test.each([BOTH, MOUNTED])("is told where the first is, and where all are", (snapshot) => {
    expect(injected(asking(TWO), snapshot).spec.containers[0].env).toEqual([
      { name: "KUBEDL_MODEL_PATH", value: "/models/mnist" },
      { name: "KUBEDL_MODEL_PATHS", value: "/models/mnist:/models/bert" },
    ]);
  });

  test("keeps what the user set of that", () => {
    const env = [{ name: "KUBEDL_MODEL_PATHS", value: "mine" }];
    const pod = asking(TWO, ({ spec }) => void (spec.containers[0].env = env));
    expect(injected(pod, BOTH).spec.containers[0].env).toEqual([
      ...env,
      { name: "KUBEDL_MODEL_PATH", value: "/models/mnist" },
    ]);
  });

  test("is told of no list when it asks for one only", () => {
    expect(injected(asking(TWO.slice(0, 1)), BOTH).spec.containers[0].env).toEqual([
      { name: "KUBEDL_MODEL_PATH", value: "/models/mnist" },
    ]);
  });

  test("has the Secrets of both, each once", () => {
    const three = [...TWO, { modelVersion: "mnist-v1", mountPath: "/again" }];
    expect(injected(asking(three), BOTH).spec.imagePullSecrets).toEqual([
      { name: "push-mnist" },
      { name: "push-bert" },
      { name: "regcred" },
    ]);
  });

  test("gets both in the containers that it names", () => {
    const pod = asking(TWO, ({ metadata, spec }) => {
      metadata.annotations = { ...metadata.annotations, [ANNOTATIONS.containers]: "sidecar" };
      spec.containers.push({ name: "sidecar" });
    });
    expect(injected(pod, BOTH).spec.containers.map(mountsOf)).toEqual([
      [],
      ["kubedl-model/model at /models/mnist", "kubedl-model/model-2 at /models/bert"],
    ]);
  });

  test("may ask by different words, each kept in the status", () => {
    const list = [
      { model: "mnist", mountPath: "/a" },
      { model: "bert", alias: "production", mountPath: "/b" },
      { modelVersion: "bert-v1", mountPath: "/c" },
    ];
    const models = {
      mnist: makeModel((model) => {
        model.status = { latestVersion: { modelVersion: "mnist-v1", imageName: "r/mnist:1" } };
      }),
      bert: makeModel((model) => {
        model.metadata = { ...model.metadata, name: "bert" };
        model.spec = { aliases: { production: "bert-v1" } };
      }),
    };
    const status = readStatus(injected(asking(list), { ...BOTH, models }));
    expect(status?.models.map(({ wanted, modelVersion }) => [wanted, modelVersion])).toEqual([
      [{ model: "mnist" }, "mnist-v1"],
      [{ model: "bert", alias: "production" }, "bert-v1"],
      [{ modelVersion: "bert-v1" }, "bert-v1"],
    ]);
  });

  test("waits for both while one is not built, and is told of that one", () => {
    const snapshot = makeSnapshot([MNIST, namedVersion("bert-v1", 1, makeModelVersion())]);
    expect(decided(asking(TWO), snapshot)).toMatchObject({
      reason: "Gated",
      warnings: [
        { message: expect.stringContaining("ModelVersion bert-v1 is not built yet") as unknown },
      ],
    });
    const pod = injected(asking(TWO), snapshot);
    expect(pod.spec.initContainers?.map(({ image }) => image?.endsWith("0".repeat(64)))).toEqual([
      false,
      true,
    ]);
    expect(readStatus(pod)?.models.map(({ digest }) => digest === undefined)).toEqual([
      false,
      true,
    ]);
  });

  test("is told of each that it waits for", () => {
    const { warnings } = decided(asking(TWO), makeSnapshot());
    expect(warnings.map(({ message }) => message.replace(/;.*/, ""))).toEqual([
      "ModelVersion mnist-v1 does not exist",
      "ModelVersion bert-v1 does not exist",
    ]);
  });

  test("can not wait for two with its node", () => {
    const pod = asking(TWO, ({ spec }) => void (spec.nodeName = "node-1"));
    expect(faultsOf(pod, makeSnapshot())[1]).toContain(
      "build ModelVersion mnist-v1 and ModelVersion bert-v1 first",
    );
  });

  test("is denied for each that failed, by its entry", () => {
    const snapshot = makeSnapshot([
      namedVersion("mnist-v1", 1, makeFailedVersion()),
      namedVersion("bert-v1", 1, makeFailedVersion()),
    ]);
    expect(faultsOf(asking(TWO), snapshot)).toEqual([
      "ModelBuildFailed",
      "metadata.annotations[model.kubedl.io/models][0]: the build of ModelVersion mnist-v1 failed: the directory is empty",
      "metadata.annotations[model.kubedl.io/models][1]: the build of ModelVersion bert-v1 failed: the directory is empty",
    ]);
  });

  test("is denied for each mount that is in the way", () => {
    const pod = asking(TWO, ({ spec }) => {
      spec.containers[0].volumeMounts = TWO.map(({ mountPath }) => ({ name: "data", mountPath }));
    });
    expect(faultsOf(pod, BOTH).map((fault) => fault.replace(/: container.*/, ""))).toEqual([
      "MountConflict",
      "spec.containers[0].volumeMounts[0].mountPath",
      "spec.containers[0].volumeMounts[1].mountPath",
    ]);
  });
});

describe("a name of a further model that the user took", () => {
  test("is another, of a loader", () => {
    const pod = asking(TWO, ({ spec }) => {
      spec.containers.push({ name: "kubedl-model-loader-2" });
    });
    const { spec } = injected(pod, BOTH);
    expect(spec.initContainers?.map(({ name }) => name)).toEqual([
      "kubedl-model-loader",
      "kubedl-model-loader-2-x",
    ]);
    expect(spec.containers[1] && mountsOf(spec.containers[1])).toHaveLength(2);
  });

  test.each([{ emptyDir: {} }, { image: { reference: "r/mine@sha256:1" } }])(
    "is another, of a volume: %j",
    (source) => {
      const pod = asking(TWO, ({ spec }) => {
        spec.volumes = [{ name: "kubedl-model-2", ...source }];
      });
      expect(injected(pod, MOUNTED).spec.volumes?.map(({ name }) => name)).toEqual([
        "kubedl-model-2",
        "kubedl-model",
        "kubedl-model-2-x",
      ]);
    },
  );
});

test("sixteen models are as many as a pod can be given", () => {
  const list = Array.from({ length: 16 }, (_, index) => ({
    modelVersion: index % 2 === 0 ? "mnist-v1" : "bert-v1",
    mountPath: `/models/${index}`,
  }));
  for (const snapshot of [BOTH, MOUNTED]) {
    const { spec } = injected(asking(list), snapshot);
    expect(spec.containers[0].volumeMounts).toHaveLength(16);
    expect(new Set((spec.volumes ?? []).map(({ name }) => name)).size).toBe(spec.volumes?.length);
  }
  const { spec } = injected(asking(list), BOTH);
  expect(new Set(spec.initContainers?.map(({ name }) => name)).size).toBe(16);
  expect(spec.volumes?.[0]?.emptyDir).toEqual({ sizeLimit: `${8 * (110 + 55)}Mi` });
});
