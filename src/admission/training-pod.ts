import { ANNOTATIONS, type ExportIntent } from "../api/annotations.ts";
import type { OwnerReference, Pod } from "../api/kube-types.ts";
import {
  EXPORT_VOLUME,
  hasExportHook,
  hookExport,
  mountExport,
} from "../inject/completion-hook.ts";
import { mountsAt, reservedNames, withoutMount } from "../inject/conflicts.ts";
import { draftPod } from "../inject/pod-draft.ts";
import type { Warning } from "../api/review.ts";
import { JOB_KINDS, jobKind } from "../jobs/kinds.ts";
import { controllerOf } from "../jobs/owner.ts";
import { trainingStorage, trainingVolume } from "../storage/training-volume.ts";
import { deny, patch, type Decision } from "./decision.ts";
import { exportMountPath, validateExport } from "./export-intent.ts";
import { limitsOf } from "./policy.ts";
import type { Snapshot } from "./snapshot.ts";

/** Decides on a pod whose model is exported when its job succeeds: mounts the storage, and holds the pod until it is there. */
export function decideTrainingPod(
  namespace: string,
  pod: Pod,
  intent: ExportIntent,
  snapshot: Snapshot,
  warnings: readonly Warning[],
): Decision {
  const limits = limitsOf(snapshot.policy, namespace);
  const faults = validateExport(intent, "metadata.annotations", limits);
  if (faults.length > 0) return deny("InvalidAnnotation", faults, warnings);
  const owner = controllerOf(pod);
  const kind = jobKind(owner?.apiVersion, owner?.kind);
  if (owner === undefined || kind === undefined) return denyOwner(owner, warnings);

  const isWriter = intent.writers === "all" || kind.isWriter(pod);
  const job = { namespace, uid: owner.uid };
  const plan = trainingVolume(trainingStorage(intent, job), job, limits);
  const isHooked = hasExportHook(pod, plan.claimName);
  const clashes = reservedNames(pod, { volumes: [EXPORT_VOLUME], containers: [] });
  if (!isHooked && clashes.length > 0) return deny("NameConflict", clashes, warnings);
  const mountPath = exportMountPath(intent);
  const draft = draftPod(pod);
  const unmounted = withoutMount(draft.containers, EXPORT_VOLUME);
  const conflicts = mountsAt(unmounted, mountPath);
  if (conflicts.length > 0) return deny("MountConflict", conflicts, warnings);
  const target = {
    claimName: plan.claimName,
    subPath: plan.subPath,
    mountPath,
    isWriter,
    gated: pod.spec?.nodeName === undefined,
  };
  if (isHooked) {
    // Containers that another webhook added after the hook may write too.
    mountExport(draft, target, unmounted);
    return patch("AlreadyInjected", draft.operations(), warnings);
  }
  hookExport(draft, target);
  return patch("ExportHooked", draft.operations(), warnings);
}

function denyOwner(owner: OwnerReference | undefined, warnings: readonly Warning[]): Decision {
  const found = owner === undefined ? "no controller" : `a ${owner.kind} (${owner.apiVersion})`;
  const known = JOB_KINDS.map(({ kind, apiVersion }) => `${kind} (${apiVersion})`).join(", ");
  const field = `metadata.annotations[${ANNOTATIONS.export}]`;
  const message = `the pod belongs to ${found}, whose success is not known; it must belong to one of ${known}`;
  return deny("UnknownJobKind", [{ field, message }], warnings);
}
