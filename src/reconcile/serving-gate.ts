import { ANNOTATIONS, GATES, LABELS } from "../api/annotations.ts";
import { pinned } from "../api/image-ref.ts";
import type { OwnerReference, Pod } from "../api/kube-types.ts";
import { builtDigest, type ModelVersion } from "../api/modelversion.ts";
import { pointerToken, type PatchOperation } from "../api/review.ts";
import { LOADER } from "../inject/init-container.ts";
import { servingStatus, WITHOUT_DIGEST } from "../inject/serving-status.ts";
import { controllerOf } from "../jobs/owner.ts";
import { refOf, type Action, type ObjectRef } from "./action.ts";

/** A pod with the label `gated`, and the version it names, when there is one. */
export interface GatedPodObserved {
  readonly pod: Pod;
  readonly version: ModelVersion | undefined;
}

/**
 * Lifts the gate of a serving pod once its version is built, and sets the digest in the same patch, so that no half of it is
 * ever seen. A failed build is said on the pod and on its owner; the pod stays gated.
 */
export function reconcileGatedPod({ pod, version }: GatedPodObserved): readonly Action[] {
  if (pod.metadata?.deletionTimestamp !== undefined) return [];
  const gate = (pod.spec?.schedulingGates ?? []).findIndex(({ name }) => name === GATES.build);
  const loader = (pod.spec?.initContainers ?? []).findIndex(({ name }) => name === LOADER);
  if (gate === -1 || loader === -1) return dropLabel(pod);
  const name = pod.metadata?.annotations?.[ANNOTATIONS.modelVersion] ?? "";
  if (version === undefined) {
    return [
      warning(refOf(pod), "ModelNotFound", `waits for ModelVersion ${name}, which does not exist`),
    ];
  }
  if (version.status?.imageBuildPhase === "ImageBuildFailed") {
    const message = `waits for ModelVersion ${name}, whose build failed: ${version.status.message ?? "no reason given"}`;
    const owner = controllerOf(pod);
    const refs = [refOf(pod), ...(owner === undefined ? [] : [ownerRef(owner, pod)])];
    return refs.map((ref) => warning(ref, "ModelBuildFailed", message));
  }
  const digest = builtDigest(version);
  if (digest === undefined) {
    if (version.status?.imageBuildPhase !== "ImageBuildSucceeded") return [];
    const message = `waits for ModelVersion ${name}, which ${WITHOUT_DIGEST}`;
    return [warning(refOf(pod), "ModelNotBuilt", message)];
  }
  return [
    {
      type: "patch",
      ref: refOf(pod),
      operations: lift(pod, gate, loader, pinned(version.spec.imageRepo, digest), digest),
    },
    {
      type: "event",
      ref: refOf(pod),
      kind: "Normal",
      reason: "ModelReady",
      message: `ModelVersion ${name} is built: ${pinned(version.spec.imageRepo, digest)}`,
    },
  ];
}

function lift(
  pod: Pod,
  gate: number,
  loader: number,
  image: string,
  digest: string,
): readonly PatchOperation[] {
  const name = pod.metadata?.annotations?.[ANNOTATIONS.modelVersion] ?? "";
  return [
    { op: "test", path: "/metadata/uid", value: pod.metadata?.uid },
    { op: "test", path: `/spec/initContainers/${loader}/name`, value: LOADER },
    { op: "replace", path: `/spec/initContainers/${loader}/image`, value: image },
    { op: "test", path: `/spec/schedulingGates/${gate}/name`, value: GATES.build },
    { op: "remove", path: `/spec/schedulingGates/${gate}` },
    {
      op: "add",
      path: `/metadata/annotations/${pointerToken(ANNOTATIONS.status)}`,
      value: servingStatus(name, digest),
    },
    ...labelRemoval(pod),
  ];
}

/** The watch selects by this label; a pod without a gate of ours need not be watched. */
function dropLabel(pod: Pod): readonly Action[] {
  const operations = labelRemoval(pod);
  return operations.length === 0 ? [] : [{ type: "patch", ref: refOf(pod), operations }];
}

function labelRemoval(pod: Pod): readonly PatchOperation[] {
  const value = pod.metadata?.labels?.[LABELS.gated];
  if (value === undefined) return [];
  const path = `/metadata/labels/${pointerToken(LABELS.gated)}`;
  return [
    { op: "test", path, value },
    { op: "remove", path },
  ];
}

function ownerRef(owner: OwnerReference, pod: Pod): ObjectRef {
  const { apiVersion, kind, name, uid } = owner;
  return { apiVersion, kind, name, uid, namespace: pod.metadata?.namespace };
}

function warning(
  ref: ObjectRef,
  reason: "ModelNotFound" | "ModelNotBuilt" | "ModelBuildFailed",
  message: string,
): Action {
  return { type: "event", ref, kind: "Warning", reason, message };
}
