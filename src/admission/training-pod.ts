import { ANNOTATIONS, FINALIZERS, LABELS, type ExportIntent } from "../api/annotations.ts";
import { exportRecordOf } from "../api/export-record.ts";
import { hasFinalizer } from "../api/finalizer.ts";
import type { KubeObject, Pod } from "../api/kube-types.ts";
import type { Reason } from "../api/reasons.ts";
import type { Cause, Warning } from "../api/review.ts";
import {
  EXPORT_VOLUME,
  hasExportHook,
  hookExport,
  mountExport,
} from "../inject/completion-hook.ts";
import { mountsAt, reservedNames, withoutMount } from "../inject/conflicts.ts";
import type { ExportAsked } from "../inject/intent.ts";
import { draftPod } from "../inject/pod-draft.ts";
import { BARE_POD, jobKind, kindNames } from "../jobs/kinds.ts";
import { controllerOf, topmostJob, type OwningJob } from "../jobs/owner.ts";
import { hasNoFirstPod, isWriterPod } from "../jobs/writer.ts";
import { writtenExport } from "../jobs/written-export.ts";
import { trainingStorage, trainingVolume } from "../storage/training-volume.ts";
import { allow, deny, patch, type Decision } from "./decision.ts";
import { exportMountPath, validateExportSpec } from "./export-intent.ts";
import { limitsOf } from "./policy.ts";
import type { Snapshot } from "./snapshot.ts";

/** Decides on a pod whose model is exported when its job succeeds: mounts the storage, and holds the pod until it is there. */
export function decideTrainingPod(
  namespace: string,
  pod: Pod,
  asked: ExportAsked,
  snapshot: Snapshot,
  warnings: readonly Warning[],
): Decision {
  const { binding } = asked;
  const field =
    binding === undefined
      ? `metadata.annotations[${ANNOTATIONS.export}]`
      : `ModelBinding ${binding}: spec.export`;
  const limits = limitsOf(snapshot.policy, namespace);
  const owners = snapshot.owners ?? [];
  const owning = owningJob(pod, snapshot);
  /** Whoever asks for it himself is denied; a binding selects pods of people who asked for nothing, and they go without. */
  const refuse = (reason: Reason, cause: Cause): Decision =>
    binding === undefined
      ? deny(reason, [cause], warnings)
      : allow("NotOurs", [...warnings, { reason, message: leftAlone(cause) }]);
  if (owning === undefined) {
    const message = unknownJob(pod, snapshot, binding !== undefined);
    return refuse("UnknownJobKind", { field, message });
  }
  const { job, kind } = owning;
  if (binding !== undefined && kind !== BARE_POD && writtenExport(owning) !== undefined) {
    const message = `${job.kind} ${job.metadata?.name} says itself which of its pods export`;
    return refuse("ContradictingAnnotations", { field, message });
  }
  // Pods that come later write where the first ones did, whatever templates or bindings say now.
  const recorded = hasFinalizer(job, FINALIZERS.export) ? exportRecordOf(job)?.intent : undefined;
  const intent = recorded ?? asked.intent;
  const faults = validateExportSpec(intent, field, limits);
  if (faults.length > 0) return deny("InvalidAnnotation", faults, warnings);
  const isBare = kind === BARE_POD;
  if (isBare && intent.clean === true) {
    const message = "true is not allowed on a pod without a job: its directory is named by the job";
    return refuse("InvalidAnnotation", { field: `${field}.clean`, message });
  }
  // The API server has filled in its default by now.
  if (isBare && pod.spec?.restartPolicy === "Always") {
    const message =
      "the pod has no job, and restartPolicy Always, so that it never succeeds; use Never or OnFailure";
    return refuse("UnknownJobKind", { field, message });
  }
  if (intent.writers !== "all" && owners.some(hasNoFirstPod)) {
    const message = `must be "all": several pods of the Job run and none of them is the first; or set completionMode: Indexed, so that index 0 writes`;
    return refuse("AllWritersRequired", { field: `${field}.writers`, message });
  }

  const uid = isBare ? "" : (job.metadata?.uid ?? "");
  const exporting = { namespace, uid };
  const isWriter = intent.writers === "all" || isWriterPod(kind, pod, owners);
  const plan = trainingVolume(trainingStorage(intent, exporting), exporting, limits);
  const isHooked = hasExportHook(pod, { claimName: plan.claimName, isWriter });
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
    gated: pod.spec?.nodeName === undefined && !isLetGo(job, plan.claimName),
    jobUid: isBare ? undefined : uid,
    ...(binding === undefined && isSame(intent, asked.intent) ? {} : { told: { binding, intent } }),
  };
  if (isHooked) {
    // Containers that another webhook added after the hook may write too.
    mountExport(draft, target, unmounted);
    // Who wrote the hook into a template knew no UID.
    if (!isBare && pod.metadata?.labels?.[LABELS.jobUid] !== uid) {
      draft.setLabel(LABELS.jobUid, uid);
    }
    return patch("AlreadyInjected", draft.operations(), warnings);
  }
  hookExport(draft, target);
  return patch("ExportHooked", draft.operations(), warnings);
}

/** The job that the pod belongs to: itself where nothing controls it. */
function owningJob(pod: Pod, { owners = [], policy }: Snapshot): OwningJob | undefined {
  if (controllerOf(pod) === undefined) return { job: pod, kind: BARE_POD };
  return topmostJob(owners, policy.jobKinds);
}

/**
 * True for a job that has been let go with this claim: what its controller makes again, after a failure or a drain, waits for
 * nobody, however long we are away.
 */
function isLetGo(job: KubeObject, claimName: string): boolean {
  return hasFinalizer(job, FINALIZERS.export) && exportRecordOf(job)?.claim === claimName;
}

function isSame(one: ExportIntent, other: ExportIntent): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** Why the job of a pod is not known. */
function unknownJob(pod: Pod, { policy }: Snapshot, isBound: boolean): string {
  const owner = controllerOf(pod);
  const found = `a ${owner?.kind} (${owner?.apiVersion})`;
  const isKnown = jobKind(policy.jobKinds, owner ?? {}) !== undefined;
  if (isKnown) return `the pod belongs to the ${owner?.kind} ${owner?.name}, which does not exist`;
  return isBound
    ? `exports what jobs write; the pod belongs to ${found}, whose success is not known`
    : `the pod belongs to ${found}, whose success is not known; it must belong to one of ${kindNames(policy.jobKinds)}, or to nothing`;
}

function leftAlone({ field, message }: Cause): string {
  return `${field}: ${message}; left as it is, its model is not exported`;
}
