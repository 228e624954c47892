import { describe, expect, test } from "vitest";
import {
  DIGEST,
  makeBuiltVersion,
  makeFailedVersion,
  makeModelVersion,
} from "../../test/make/modelversion.ts";
import { patched } from "../../test/make/patched.ts";
import { makeGatedPod, makePod, type MadePod } from "../../test/make/pod.ts";
import { LABELS } from "../api/annotations.ts";
import { isGatedServingPod } from "../inject/serving-hook.ts";
import { servingStatus } from "../inject/serving-status.ts";
import type { Action } from "./action.ts";
import { reconcileGatedPod } from "./serving-gate.ts";

const IMAGE = `registry.example/models/mnist@${DIGEST}`;

function patchOf(actions: readonly Action[], pod: MadePod): MadePod {
  const [action] = actions;
  if (action?.type !== "patch") throw new Error("the first action is no patch");
  return patched(pod, action.operations);
}

describe("once the version is built", () => {
  const gated = makeGatedPod();
  const actions = reconcileGatedPod({ pod: gated, version: makeBuiltVersion() });

  test("one patch sets the image, lifts the gate, says so and ends the watch", () => {
    const after = patchOf(actions, gated);
    expect(after.spec.initContainers?.[0]?.image).toBe(IMAGE);
    expect(after.spec.schedulingGates).toEqual([]);
    expect(after.metadata.labels).toEqual({ [LABELS.served]: "true" });
    expect(after.metadata.annotations?.["model.kubedl.io/status"]).toBe(
      servingStatus("mnist-v1", DIGEST),
    );
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
      each.spec.initContainers?.forEach((loader) => void (loader.image = "modelhook.invalid/x"));
    });
    const after = patchOf(
      reconcileGatedPod({ pod: pending, version: makeBuiltVersion() }),
      pending,
    );
    expect(after.spec.initContainers?.[0]?.image).toBe(IMAGE);
  });

  test("the gates and labels of others stay", () => {
    const shared = makeGatedPod((each) => {
      each.spec.schedulingGates?.unshift({ name: "example.com/quota" });
      each.spec.initContainers?.unshift({ name: "first" });
      each.metadata.labels = { app: "web", ...each.metadata.labels };
    });
    const after = patchOf(reconcileGatedPod({ pod: shared, version: makeBuiltVersion() }), shared);
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
    expect(reconcileGatedPod({ pod: after, version: makeBuiltVersion() })).toEqual([]);
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
    expect(reconcileGatedPod({ pod: makeGatedPod(), version })).toEqual([]);
  });

  test("for a version that is built without a digest is told what would be right", () => {
    const version = makeModelVersion((each) => {
      each.status = { imageBuildPhase: "ImageBuildSucceeded", image: "registry.example/mnist:v1" };
    });
    expect(reconcileGatedPod({ pod: makeGatedPod(), version })).toMatchObject([
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
    expect(reconcileGatedPod({ pod: makeGatedPod(), version: undefined })).toMatchObject([
      {
        type: "event",
        ref: { kind: "Pod" },
        kind: "Warning",
        reason: "ModelNotFound",
        message: "waits for ModelVersion mnist-v1, which does not exist",
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
    const message = "waits for ModelVersion mnist-v1, whose build failed: the directory is empty";
    expect(reconcileGatedPod({ pod, version: makeFailedVersion() })).toEqual([
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
    expect(reconcileGatedPod({ pod: makeGatedPod(), version: makeFailedVersion() })).toHaveLength(
      1,
    );
  });
});

describe("a labelled pod without gate or loader", () => {
  test.each<[string, (pod: MadePod) => void]>([
    ["gate", (pod) => void delete pod.spec.schedulingGates],
    ["loader", (pod) => void delete pod.spec.initContainers],
  ])("is watched no more when it has no %s", (_, tweak) => {
    const pod = makeGatedPod(tweak);
    const after = patchOf(reconcileGatedPod({ pod, version: makeBuiltVersion() }), pod);
    expect(after).toEqual({
      ...pod,
      metadata: { ...pod.metadata, labels: { [LABELS.served]: "true" } },
    });
  });

  test("and without the label is left alone", () => {
    expect(reconcileGatedPod({ pod: makePod(), version: undefined })).toEqual([]);
  });
});

test("a pod that is being deleted is left alone", () => {
  const pod = makeGatedPod((each) => {
    each.metadata.deletionTimestamp = "2024-01-01T00:00:00Z";
  });
  expect(reconcileGatedPod({ pod, version: makeBuiltVersion() })).toEqual([]);
});
