import { describe, expect, test } from "vitest";
import type { Tweak } from "../../test/make/frozen.ts";
import { DIGEST } from "../../test/make/modelversion.ts";
import { patched } from "../../test/make/patched.ts";
import { makeGatedPod, makePod, makeServingPod, type MadePod } from "../../test/make/pod.ts";
import type { Container } from "../api/kube-types.ts";
import { imageMount } from "./init-container.ts";
import type { ServeIntent } from "./intent.ts";
import { draftPod } from "./pod-draft.ts";
import {
  PENDING_IMAGE,
  deliver,
  isGatedServingPod,
  showModel,
  type DeliveredModel,
  type DeliveryChoice,
} from "./serving-hook.ts";
import { readStatus } from "./serving-status.ts";

const MIB = 2 ** 20;
const IMAGE = `registry.example/models/mnist@${DIGEST}`;
const COPY: DeliveryChoice = { way: "copy", why: undefined };
const VOLUME: DeliveryChoice = { way: "image-volume", why: "every node can" };

type Given = Partial<DeliveredModel>;

/** Model `mnist` at /kubedl-model, or another. */
function model(given: Given = {}): Omit<DeliveredModel, "targets"> {
  return {
    wanted: { modelVersion: "mnist-v1" },
    mountPath: "/kubedl-model",
    field: "metadata.annotations[model.kubedl.io/model-version]",
    modelVersion: "mnist-v1",
    imageRepo: "registry.example/models/mnist",
    digest: DIGEST,
    size: 100 * MIB,
    files: 0,
    pullSecret: undefined,
    copier: undefined,
    ...given,
  };
}

function intentOf(models: readonly Omit<DeliveredModel, "targets">[]): ServeIntent {
  return {
    models,
    delivery: "auto",
    deliveryField: "",
    containers: undefined,
    containersField: "",
    loaderResources: undefined,
  };
}

/** The pod with these models in all its containers. */
function delivered(
  given: readonly Given[],
  choice: DeliveryChoice = COPY,
  tweak: Tweak<MadePod> = () => {},
): MadePod {
  const pod = makeServingPod(tweak);
  const draft = draftPod(pod);
  const models = given.map((each) => ({ ...model(each), targets: draft.containers }));
  deliver(draft, pod, intentOf(models), models, choice, {});
  return patched(pod, draft.operations());
}

function mountsOf({ volumeMounts }: Container): readonly string[] {
  return (volumeMounts ?? []).map(
    ({ name, subPath, mountPath }) => `${name}/${subPath} at ${mountPath}`,
  );
}

describe("a built model that is copied", () => {
  const pod = delivered([{}]);

  test("comes from the image by its digest, before every other container", () => {
    const { spec } = delivered([{}], COPY, (each) => {
      each.spec.initContainers = [{ name: "warm-up" }];
    });
    expect(spec.initContainers?.map(({ name }) => name)).toEqual([
      "kubedl-model-loader",
      "warm-up",
    ]);
    expect(spec.initContainers?.[0]).toMatchObject({ image: IMAGE });
  });

  test("is mounted read-only, and the program is told where", () => {
    expect(pod.spec.containers[0]).toMatchObject({
      volumeMounts: [
        { name: "kubedl-model", mountPath: "/kubedl-model", subPath: "model", readOnly: true },
      ],
      env: [{ name: "KUBEDL_MODEL_PATH", value: "/kubedl-model" }],
    });
  });

  test("has room in proportion to its size", () => {
    expect(pod.spec.volumes).toEqual([
      { name: "kubedl-model", emptyDir: { sizeLimit: "110Mi" } },
      { name: "kubedl-no-token", emptyDir: {} },
    ]);
    expect(pod.spec.initContainers?.[0]?.resources?.requests).toEqual({
      "ephemeral-storage": "110Mi",
    });
  });

  test("needs no gate", () => {
    expect(pod.spec.schedulingGates).toBeUndefined();
    expect(pod.metadata.labels).toEqual({ "model.kubedl.io/served": "true" });
  });

  test("and has no shell is copied by another image, out of a volume", () => {
    const { spec } = delivered([{ copier: "registry.example/busybox:1" }]);
    expect(spec.volumes?.map(({ name, image }) => [name, image?.reference])).toEqual([
      ["kubedl-model-image", IMAGE],
      ["kubedl-model", undefined],
      ["kubedl-no-token", undefined],
    ]);
    expect(spec.initContainers?.[0]?.image).toBe("registry.example/busybox:1");
    expect(spec.initContainers?.[0]?.volumeMounts).toContainEqual(
      imageMount("kubedl-model-image", "/kubedl-model"),
    );
    expect(mountsOf(spec.containers[0])).toEqual(["kubedl-model/model at /kubedl-model"]);
  });

  test.each([
    [["pull"], ["pull", "regcred"]],
    [["regcred"], ["regcred"]],
    [[undefined], ["regcred"]],
    [
      ["pull", "other", "pull"],
      ["pull", "other", "regcred"],
    ],
  ])("whose versions name the Secrets %j is pulled with %j", (secrets, names) => {
    const { spec } = delivered(
      secrets.map((pullSecret, index) => ({ pullSecret, mountPath: `/m${index}` })),
    );
    expect(spec.imagePullSecrets?.map(({ name }) => name)).toEqual(names);
  });
});

describe("a built model that is mounted as a volume", () => {
  const pod = delivered([{}], VOLUME);

  test("is the image by its digest, of which the model's directory is seen", () => {
    expect(pod.spec.volumes).toEqual([
      { name: "kubedl-model", image: { reference: IMAGE, pullPolicy: "IfNotPresent" } },
    ]);
    expect(mountsOf(pod.spec.containers[0])).toEqual([
      "kubedl-model/kubedl-model at /kubedl-model",
    ]);
  });

  test("needs no loader, and is pulled and labelled like a copy", () => {
    expect(pod.spec.initContainers).toBeUndefined();
    expect(pod.spec.imagePullSecrets).toEqual([{ name: "regcred" }]);
    expect(pod.metadata.labels).toEqual({ "model.kubedl.io/served": "true" });
  });
});

describe("several models", () => {
  const two: readonly Given[] = [
    { mountPath: "/models/a", size: 100 * MIB },
    { mountPath: "/models/b", size: 50 * MIB },
  ];

  test("are copied side by side, each after those before it, in room for all", () => {
    const { spec } = delivered(two);
    expect(
      spec.initContainers?.map(({ name, command, resources }) => [
        name,
        command?.at(-1),
        resources?.requests?.["ephemeral-storage"],
      ]),
    ).toEqual([
      ["kubedl-model-loader", "model", "110Mi"],
      ["kubedl-model-loader-2", "model-2", "165Mi"],
    ]);
    expect(spec.volumes).toEqual([
      { name: "kubedl-model", emptyDir: { sizeLimit: "165Mi" } },
      { name: "kubedl-no-token", emptyDir: {} },
    ]);
  });

  test("are a volume each, where they are not copied", () => {
    const { spec } = delivered(two, VOLUME);
    expect(spec.volumes?.map(({ name }) => name)).toEqual(["kubedl-model", "kubedl-model-2"]);
    expect(mountsOf(spec.containers[0])).toEqual([
      "kubedl-model/kubedl-model at /models/a",
      "kubedl-model-2/kubedl-model at /models/b",
    ]);
  });

  test.each([COPY, VOLUME])("are told as a first one, and as a list: %j", (choice) => {
    expect(delivered(two, choice).spec.containers[0].env).toEqual([
      { name: "KUBEDL_MODEL_PATH", value: "/models/a" },
      { name: "KUBEDL_MODEL_PATHS", value: "/models/a:/models/b" },
    ]);
  });

  test("have no limit as soon as the size of one is not known", () => {
    const unknown = { mountPath: "/models/c", size: undefined };
    const { spec } = delivered([...two.slice(0, 1), unknown, ...two.slice(1)]);
    expect(
      spec.initContainers?.map(({ resources }) => resources?.requests?.["ephemeral-storage"]),
    ).toEqual(["110Mi", undefined, undefined]);
    expect(spec.volumes?.[0]).toEqual({ name: "kubedl-model", emptyDir: {} });
  });

  test("may be of images with a shell, and without", () => {
    const { spec } = delivered([{ mountPath: "/a" }, { mountPath: "/b", copier: "busybox" }]);
    expect(spec.initContainers?.map(({ image }) => image)).toEqual([IMAGE, "busybox"]);
    expect(spec.volumes?.map(({ name }) => name)).toEqual([
      "kubedl-model-2-image",
      "kubedl-model",
      "kubedl-no-token",
    ]);
  });

  test("wait together for the one that is not built", () => {
    const pod = delivered([
      { mountPath: "/a" },
      {
        mountPath: "/b",
        wanted: { model: "bert" },
        modelVersion: undefined,
        imageRepo: undefined,
        digest: undefined,
      },
    ]);
    expect(pod.spec.initContainers?.map(({ image }) => image)).toEqual([IMAGE, PENDING_IMAGE]);
    expect(pod.spec.schedulingGates).toEqual([{ name: "model.kubedl.io/build" }]);
    expect(readStatus(pod)).toEqual({
      models: [
        {
          wanted: { modelVersion: "mnist-v1" },
          modelVersion: "mnist-v1",
          digest: DIGEST,
          mountPath: "/a",
        },
        { wanted: { model: "bert" }, mountPath: "/b" },
      ],
      delivery: "copy",
    });
  });
});

describe("a name of ours that the user took is another", () => {
  test("for the loader of a further model", () => {
    const { spec } = delivered([{ mountPath: "/a" }, { mountPath: "/b" }], COPY, (pod) => {
      pod.spec.initContainers = [{ name: "kubedl-model-loader-2" }];
      pod.spec.containers.push({ name: "kubedl-model-loader-2-x" });
    });
    expect(spec.initContainers?.map(({ name }) => name)).toEqual([
      "kubedl-model-loader",
      "kubedl-model-loader-2-x-x",
      "kubedl-model-loader-2",
    ]);
  });

  test("for the image volume of a further model", () => {
    const { spec } = delivered([{ mountPath: "/a" }, { mountPath: "/b" }], VOLUME, (pod) => {
      pod.spec.volumes = [{ name: "kubedl-model-2", emptyDir: {} }];
    });
    expect(spec.volumes?.map(({ name }) => name)).toEqual([
      "kubedl-model-2",
      "kubedl-model",
      "kubedl-model-2-x",
    ]);
    expect(mountsOf(spec.containers[0])).toEqual([
      "kubedl-model/kubedl-model at /a",
      "kubedl-model-2-x/kubedl-model at /b",
    ]);
  });

  test("for the image volume that a copy is made from", () => {
    const { spec } = delivered([{ copier: "busybox" }], COPY, (pod) => {
      pod.spec.volumes = [{ name: "kubedl-model-image", emptyDir: {} }];
    });
    expect(spec.volumes?.map(({ name }) => name)).toEqual([
      "kubedl-model-image",
      "kubedl-model-image-x",
      "kubedl-model",
      "kubedl-no-token",
    ]);
    expect(spec.initContainers?.[0]?.volumeMounts?.at(-1)?.name).toBe("kubedl-model-image-x");
  });
});

describe("a model that is not built", () => {
  const pod = delivered([{ digest: undefined, size: undefined }]);

  test("holds the pod behind the gate, and the pod is found by its label", () => {
    expect(pod.spec.schedulingGates).toEqual([{ name: "model.kubedl.io/build" }]);
    expect(pod.metadata.labels).toEqual({
      "model.kubedl.io/gated": "true",
      "model.kubedl.io/served": "true",
    });
    expect(isGatedServingPod(pod)).toBe(true);
  });

  test("has an image that nobody can pull", () => {
    const image = `registry.example/models/mnist@sha256:${"0".repeat(64)}`;
    expect(pod.spec.initContainers?.[0]).toMatchObject({ image, imagePullPolicy: "IfNotPresent" });
  });

  test("has no repository while its version is unknown", () => {
    const unknown = delivered([{ imageRepo: undefined, digest: undefined }]);
    expect(unknown.spec.initContainers?.[0]?.image).toBe(PENDING_IMAGE);
    expect(PENDING_IMAGE).toBe(`modelhook.invalid/pending@sha256:${"0".repeat(64)}`);
  });

  test("is pulled with the default Secret, which the pod can not be given later", () => {
    expect(pod.spec.imagePullSecrets).toEqual([{ name: "regcred" }]);
  });

  test("has no limit that could be too small", () => {
    expect(pod.spec.volumes?.[0]).toEqual({ name: "kubedl-model", emptyDir: {} });
  });
});

test("the status says what was delivered, how and why, and who asked for it", () => {
  const pod = makeServingPod();
  const draft = draftPod(pod);
  const models = [{ ...model(), targets: draft.containers }];
  deliver(draft, pod, { ...intentOf(models), binding: "web" }, models, VOLUME, {});
  expect(readStatus(patched(pod, draft.operations()))).toEqual({
    models: [
      {
        wanted: { modelVersion: "mnist-v1" },
        modelVersion: "mnist-v1",
        digest: DIGEST,
        mountPath: "/kubedl-model",
      },
    ],
    delivery: "image-volume",
    why: "every node can",
    binding: "web",
  });
});

test("showModel changes the containers alone", () => {
  const pod = makeServingPod();
  const draft = draftPod(pod);
  showModel(draft, intentOf([model()]), imageMount("mine", "/kubedl-model"), draft.containers);
  const after = patched(pod, draft.operations());
  expect(mountsOf(after.spec.containers[0])).toEqual(["mine/kubedl-model at /kubedl-model"]);
  expect(after.spec.volumes).toBeUndefined();
  expect(after.metadata).toEqual(pod.metadata);
});

test("a pod without the gate or without the loader is no gated serving pod", () => {
  expect(isGatedServingPod(makeGatedPod())).toBe(true);
  expect(isGatedServingPod(makePod())).toBe(false);
  expect(isGatedServingPod(makeGatedPod((pod) => void (pod.spec.schedulingGates = [])))).toBe(
    false,
  );
  expect(isGatedServingPod(makeGatedPod((pod) => void (pod.spec.initContainers = [])))).toBe(false);
});
