import { ANNOTATIONS, GATES, type ExportIntent } from "../api/annotations.ts";
import { exportRecordOf, type ExportRecord } from "../api/export-record.ts";
import type { PersistentVolume, PersistentVolumeClaim, Pod } from "../api/kube-types.ts";
import type { PatchOperation } from "../api/review.ts";
import { writerSubset } from "../inject/completion-hook.ts";
import { outcomeOf } from "../jobs/outcome.ts";
import type { OwningJob } from "../jobs/owner.ts";
import { hasNoFirstPod } from "../jobs/writer.ts";
import type { StorageLimits, VolumePlan } from "../storage/provider.ts";
import { trainingStorage, trainingVolume } from "../storage/training-volume.ts";
import { refOf, warningOn, type Action } from "./action.ts";
import { claimFault, exportFault, pathFault, type ExportFault } from "./export-fault.ts";
import {
  exportBindingOf,
  exportIntentOf,
  exportIntentOfPod,
  exportingJobOf,
  markJob,
  noteRecord,
} from "./exporting-job.ts";
import { exportClaimOf } from "./location.ts";

/** A pod that exports, and what its start depends on. */
export interface ExportingPodObserved {
  readonly pod: Pod;
  /** The job that the pod belongs to; undefined when it is gone. */
  readonly owning: OwningJob | undefined;
  readonly limits: StorageLimits;
  /** Label kubernetes.io/hostname of the node of local storage; undefined when there is no such node. */
  readonly hostname: string | undefined;
  readonly volume: PersistentVolume | undefined;
  readonly claim: PersistentVolumeClaim | undefined;
  /** Builds and jobs, by a name for people, that have the location now. */
  readonly users: readonly string[];
  /** The pod that is noted as the one that writes, while it is there. */
  readonly noted: Pod | undefined;
}

/** How often a pod looks again for something that no watch of ours reports. */
const RETRY_MS = 10_000;

/**
 * Lets an exporting job start, by the first of its pods that comes: the job is held by the finalizer, then the storage is made,
 * then it is noted on the job that it has been let go, then the gates go. In this order nothing that a pod writes can be
 * forgotten. A pod that came with its node has no gate: the kubelet holds it back until its claim is there.
 */
export function reconcileExportingPod(observed: ExportingPodObserved): readonly Action[] {
  const { pod, owning, limits, hostname } = observed;
  if (owning === undefined || pod.metadata?.deletionTimestamp !== undefined) return [];
  const { job, kind } = owning;
  // A job that has ended was let go; to hold it again would export it again.
  if (outcomeOf(kind, job) !== "running" || job.metadata?.deletionTimestamp !== undefined)
    return [];
  const gate = (pod.spec?.schedulingGates ?? []).findIndex(({ name }) => name === GATES.export);
  const isGated = gate !== -1;
  const record = exportRecordOf(job);
  if (!isGated && hasStarted(pod)) return noteWriter(observed, owning, record);
  const intent = exportIntentOf(owning) ?? exportIntentOfPod(pod);
  if (intent === undefined) {
    const message = `waits for ever: neither it nor ${job.kind} ${job.metadata?.name} has a readable annotation ${ANNOTATIONS.export}, so its model could not be exported`;
    return [warningOn(refOf(pod), "InvalidAnnotation", message)];
  }
  const held = markJob(job, undefined);
  if (hasNoFirstPod(job) && intent.writers !== "all") {
    const message =
      "waits for ever: several pods of the job run and none is the first; set writers: all, or completionMode: Indexed";
    return [...held, warningOn(refOf(pod), "AllWritersRequired", message)];
  }
  const exporting = exportingJobOf(owning);
  const training = trainingStorage(intent, exporting);
  const refusal = pathFault(observed, training);
  if (refusal !== undefined) return [...held, ...waiting(pod, refusal)];
  const plan = trainingVolume(training, exporting, limits, hostname);
  const misplaced = claimFault(observed, plan);
  if (misplaced !== undefined) return [...held, ...waiting(pod, misplaced)];
  const lift: readonly Action[] = isGated
    ? [{ type: "patch", ref: refOf(pod), operations: removeGate(pod, gate) }]
    : [];
  const made = makeStorage(observed, plan, owning);
  // What came later, or was made again, starts at once.
  if (record?.claim === plan.claimName && made.length === 0) return [...held, ...lift];
  const fault = exportFault(observed, { owning, intent, training, plan });
  if (fault !== undefined) return [...held, ...waiting(pod, fault)];
  const binding = exportBindingOf(pod);
  const noted: ExportRecord = {
    uid: job.metadata?.uid ?? "",
    claim: plan.claimName,
    ...(binding === undefined ? {} : { binding }),
    intent,
  };
  const isNew = record?.claim !== plan.claimName;
  return [
    ...held,
    ...made,
    ...(isNew ? noteRecord(job, noted) : []),
    ...lift,
    ...(isNew ? announce(owning, intent) : []),
  ];
}

function waiting(pod: Pod, { reason, message, isFinal }: ExportFault): readonly Action[] {
  return [
    warningOn(refOf(pod), reason, message),
    ...(isFinal ? [] : [{ type: "requeueAfter", ms: RETRY_MS } as const]),
  ];
}

/**
 * Notes which pod writes and where it runs, once that is known: it may be gone when the job has ended. Of several that write at
 * the same time one stays noted; of one that is made again, the last.
 */
function noteWriter(
  { pod, noted }: ExportingPodObserved,
  { job }: OwningJob,
  record: ExportRecord | undefined,
): readonly Action[] {
  const { name = "" } = pod.metadata ?? {};
  const node = pod.spec?.nodeName;
  if (record === undefined || node === undefined || exportClaimOf(pod) !== record.claim) return [];
  const image = pod.spec?.containers[0]?.image;
  // One that is made again may have the name of the first, and another node.
  if (record.pod === name && record.node === node && record.image === image) return [];
  if (record.pod !== undefined && record.pod !== name) {
    if (!isRunning(pod) || (noted !== undefined && isRunning(noted))) return [];
  }
  return markJob(job, { ...record, pod: name, node, ...(image === undefined ? {} : { image }) });
}

function isRunning({ metadata, status }: Pod): boolean {
  return status?.phase === "Running" && metadata?.deletionTimestamp === undefined;
}

function makeStorage(
  { claim, volume }: ExportingPodObserved,
  plan: VolumePlan,
  { job }: OwningJob,
): readonly Action[] {
  if (plan.make === undefined) return [];
  const { apiVersion = "", kind = "" } = job;
  const { name = "", uid = "" } = job.metadata ?? {};
  const ownerReferences = [{ apiVersion, kind, name, uid }];
  const owned = {
    ...plan.make.claim,
    metadata: { ...plan.make.claim.metadata, ownerReferences },
  };
  const actions: Action[] = [];
  if (volume === undefined) actions.push({ type: "create", object: plan.make.volume });
  if (claim === undefined) actions.push({ type: "create", object: owned });
  return actions;
}

/** True for a pod that has run, or runs. */
export function hasStarted({ status }: Pod): boolean {
  return status?.phase !== undefined && status.phase !== "Pending";
}

function removeGate(pod: Pod, gate: number): readonly PatchOperation[] {
  return [
    { op: "test", path: "/metadata/uid", value: pod.metadata?.uid },
    { op: "test", path: `/spec/schedulingGates/${gate}/name`, value: GATES.export },
    { op: "remove", path: `/spec/schedulingGates/${gate}` },
  ];
}

function announce(owning: OwningJob, intent: ExportIntent): readonly Action[] {
  const message = writerSubset(owning, intent);
  return message === undefined ? [] : [warningOn(refOf(owning.job), "WriterSubset", message)];
}
