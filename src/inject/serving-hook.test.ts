import { describe, expect, test } from "vitest";
import { DIGEST } from "../../test/make/modelversion.ts";
import { patched } from "../../test/make/patched.ts";
import { makeGatedPod, makePod, makeServingPod } from "../../test/make/pod.ts";
import type { ServeIntent } from "./intent.ts";
import { draftPod } from "./pod-draft.ts";
import {
  PENDING_IMAGE,
  deliverCopy,
  isGatedServingPod,
  mountCopy,
  type Delivered,
} from "./serving-hook.ts";
import { servingStatus } from "./serving-status.ts";

const INTENT: ServeIntent = {
  modelVersion: "mnist-v1",
  mountPath: "/kubedl-model",
  delivery: "auto",
  containers: undefined,
  loaderResources: undefined,
};
const BUILT: Delivered = {
  imageRepo: "registry.example/models/mnist",
  digest: DIGEST,
  size: 100 * 2 ** 20,
  pullSecret: undefined,
};

function delivered(given: Delivered) {
  const pod = makeServingPod();
  const draft = draftPod(pod);
  deliverCopy(draft, pod, INTENT, draft.containers, given, {});
  return patched(pod, draft.operations());
}

describe("a built model", () => {
  const pod = delivered(BUILT);

  test("comes from the image by its digest, before every other container", () => {
    expect(pod.spec.initContainers?.[0]).toMatchObject({
      name: "kubedl-model-loader",
      image: `registry.example/models/mnist@${DIGEST}`,
      imagePullPolicy: "IfNotPresent",
    });
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
    expect(pod.spec.volumes?.[0]).toEqual({
      name: "kubedl-model",
      emptyDir: { sizeLimit: "110Mi" },
    });
    expect(pod.spec.initContainers?.[0]?.resources?.requests).toEqual({
      "ephemeral-storage": "110Mi",
    });
  });

  test("needs no gate", () => {
    expect(pod.spec.schedulingGates).toBeUndefined();
    expect(pod.metadata.labels).toEqual({ "model.kubedl.io/served": "true" });
    expect(pod.metadata.annotations?.["model.kubedl.io/status"]).toBe(
      servingStatus("mnist-v1", DIGEST),
    );
  });

  test.each([
    ["pull", ["pull", "regcred"]],
    ["regcred", ["regcred"]],
    [undefined, ["regcred"]],
  ])("whose version names the Secret %s is pulled with %j", (pullSecret, names) => {
    const { spec } = delivered({ ...BUILT, pullSecret });
    expect(spec.imagePullSecrets?.map(({ name }) => name)).toEqual(names);
  });
});

describe("a model that is not built", () => {
  const pod = delivered({ ...BUILT, digest: undefined, size: undefined });

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
    expect(pod.spec.initContainers?.[0]?.image).toBe(image);
  });

  test("has no repository while its version is unknown", () => {
    const unknown = delivered({ ...BUILT, imageRepo: undefined, digest: undefined });
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

test("the status says what was delivered, or what the pod waits for", () => {
  expect(servingStatus("mnist-v1", DIGEST)).toBe(
    `{"modelVersion":"mnist-v1","digest":"${DIGEST}","delivery":"copy"}`,
  );
  expect(servingStatus("mnist-v1", undefined)).toBe(
    '{"modelVersion":"mnist-v1","waitsFor":"model.kubedl.io/build","delivery":"copy"}',
  );
});

test("mountCopy changes the containers alone", () => {
  const pod = makeServingPod();
  const draft = draftPod(pod);
  mountCopy(draft, INTENT, draft.containers);
  const after = patched(pod, draft.operations());
  expect(after.spec.containers[0].volumeMounts).toHaveLength(1);
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
