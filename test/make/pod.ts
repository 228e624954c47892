import { ANNOTATIONS, GATES, LABELS } from "../../src/api/annotations.ts";
import type { Container, ObjectMeta, Pod, PodSpec } from "../../src/api/kube-types.ts";
import { LOADER } from "../../src/inject/init-container.ts";
import { printStatus, type ServedModel } from "../../src/inject/serving-status.ts";
import { makeExport } from "./export.ts";
import { frozen, type Tweak } from "./frozen.ts";
import { DIGEST } from "./modelversion.ts";

/** A pod with the parts that every pod has. */
export interface MadePod extends Pod {
  metadata: ObjectMeta;
  spec: PodSpec & { containers: [Container, ...Container[]] };
}

/** UID of the job that owns the pods of `makeTrainingPod`. */
export const JOB_UID = "11111111-2222-3333-4444-555555555555";

/** A pod as the API server admits it: valid, with one container, and asking for nothing. It has no UID yet. */
export function makePod(tweak: Tweak<MadePod> = () => {}): MadePod {
  return frozen(
    {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name: "web", namespace: "team-a" },
      spec: { containers: [{ name: "server", image: "registry.example/server:1" }] },
    },
    tweak,
  );
}

/** A pod that wants ModelVersion mnist-v1. */
export function makeServingPod(tweak: Tweak<MadePod> = () => {}): MadePod {
  return makePod((pod) => {
    pod.metadata.annotations = { [ANNOTATIONS.modelVersion]: "mnist-v1" };
    tweak(pod);
  });
}

/** A pod that runs with the model of mnist-v1, as far as others see it. */
export function makeUsingPod(
  tweak: Tweak<MadePod> = () => {},
  served: Partial<ServedModel> = {},
): MadePod {
  return makeServingPod((pod) => {
    pod.metadata.labels = { [LABELS.served]: "true" };
    const model = {
      wanted: { modelVersion: "mnist-v1" },
      modelVersion: "mnist-v1",
      digest: DIGEST,
      mountPath: "/kubedl-model",
      ...served,
    };
    const status = printStatus({ models: [model], delivery: "copy" });
    pod.metadata.annotations = { ...pod.metadata.annotations, [ANNOTATIONS.status]: status };
    pod.status = { phase: "Running" };
    const image = `registry.example/models/mnist@${model.digest}`;
    pod.spec.initContainers = [{ name: LOADER, image }];
    tweak(pod);
  });
}

/** The pod of a Job that exports what `makeExport` says. */
export function makeTrainingPod(tweak: Tweak<MadePod> = () => {}): MadePod {
  return makePod((pod) => {
    pod.metadata.annotations = { [ANNOTATIONS.export]: JSON.stringify(makeExport()) };
    pod.metadata.ownerReferences = [
      { apiVersion: "batch/v1", kind: "Job", name: "train", uid: JOB_UID, controller: true },
    ];
    tweak(pod);
  });
}

/** A stored serving pod that waits for mnist-v1, as admission left it. */
export function makeGatedPod(tweak: Tweak<MadePod> = () => {}): MadePod {
  return makeServingPod((pod) => {
    pod.metadata.uid = "99999999-0000-0000-0000-000000000001";
    pod.metadata.labels = { [LABELS.gated]: "true", [LABELS.served]: "true" };
    const models = [{ wanted: { modelVersion: "mnist-v1" }, mountPath: "/kubedl-model" }];
    const status = printStatus({ models, delivery: "copy" });
    pod.metadata.annotations = { ...pod.metadata.annotations, [ANNOTATIONS.status]: status };
    pod.spec.schedulingGates = [{ name: GATES.build }];
    pod.spec.initContainers = [
      {
        name: "kubedl-model-loader",
        image: `registry.example/models/mnist@sha256:${"0".repeat(64)}`,
        command: ["/bin/sh", "-c", "copy", "kubedl-model-loader", "model"],
        volumeMounts: [{ name: "kubedl-model", mountPath: "/kubedl-volume" }],
      },
    ];
    tweak(pod);
  });
}
