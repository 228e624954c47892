import { ANNOTATIONS, FINALIZERS, GATES, LABELS, type ExportIntent } from "../api/annotations.ts";
import type { Job, PersistentVolume, PersistentVolumeClaim, Pod } from "../api/kube-types.ts";
import type { Reason } from "../api/reasons.ts";
import { pointerToken, type PatchOperation } from "../api/review.ts";
import { SCRATCH_LIMIT } from "../inject/completion-hook.ts";
import { jobKind } from "../jobs/kinds.ts";
import type { StorageLimits, VolumePlan } from "../storage/provider.ts";
import {
  trainingStorage,
  trainingVolume,
  type TrainingStorage,
} from "../storage/training-volume.ts";
import { refOf, warningOn, type Action } from "./action.ts";
import { exportIntentOf, isHeld } from "./exporting-job.ts";
import { isWriter } from "./location.ts";

/** A gated pod that exports, and what its gate depends on. */
export interface ExportingPodObserved {
  readonly pod: Pod;
  /** The job that owns the pod; undefined when it is gone. */
  readonly job: Job | undefined;
  readonly limits: StorageLimits;
  /** Label kubernetes.io/hostname of the node of local storage; undefined when there is no such node. */
  readonly hostname: string | undefined;
  readonly volume: PersistentVolume | undefined;
  readonly claim: PersistentVolumeClaim | undefined;
  /** Builds and jobs, by a name for people, that have the location now. */
  readonly users: readonly string[];
}

/** How often a pod looks again for something that no watch of ours reports. */
const RETRY_MS = 10_000;

/**
 * Lets an exporting pod start: first the job is held by the finalizer, then the storage is made, then the gate goes. In this
 * order nothing that a pod writes can be forgotten. A pod that came with its node has no gate: the kubelet holds it back until
 * its claim is there.
 */
export function reconcileExportingPod(observed: ExportingPodObserved): readonly Action[] {
  const { pod, job, limits, hostname } = observed;
  const gate = (pod.spec?.schedulingGates ?? []).findIndex(({ name }) => name === GATES.export);
  const isGated = gate !== -1;
  if ((!isGated && hasStarted(pod)) || pod.metadata?.deletionTimestamp !== undefined) return [];
  if (job === undefined || job.metadata?.deletionTimestamp !== undefined) return [];
  const kind = jobKind(job.apiVersion, job.kind);
  // A job that has ended was let go; to hold it again would export it again.
  if (kind === undefined || kind.outcome(job) !== "running") return [];
  const intent = exportIntentOf(job);
  if (intent === undefined) {
    const message = `waits for ever: ${job.kind} ${job.metadata?.name} has no readable annotation ${ANNOTATIONS.export}, so its model could not be exported; set it on the job`;
    return [warningOn(refOf(pod), "InvalidAnnotation", message)];
  }
  const held = isHeld(job) ? [] : [holdJob(job)];
  if (kind.hasNoFirstPod(job) && intent.writers !== "all") {
    const message =
      "waits for ever: several pods of the job run and none is the first; set writers: all, or completionMode: Indexed";
    return [...held, warningOn(refOf(pod), "AllWritersRequired", message)];
  }
  const lift: readonly Action[] = isGated
    ? [{ type: "patch", ref: refOf(pod), operations: removeGate(pod, gate) }]
    : [];
  if (!isWriter(pod)) return [...held, ...lift];
  const owner = { namespace: job.metadata?.namespace ?? "", uid: job.metadata?.uid ?? "" };
  const training = trainingStorage(intent, owner);
  const denied = pathFault(training, limits);
  if (denied !== undefined) return [...held, warningOn(refOf(pod), ...denied)];
  const plan = trainingVolume(training, owner, limits, hostname);
  if (!isGated && makeStorage(observed, plan, job).length === 0) return held;
  const blocked = storageFault(observed, intent, training, plan) ?? busyFault(observed);
  if (blocked !== undefined) {
    return [...held, warningOn(refOf(pod), ...blocked), { type: "requeueAfter", ms: RETRY_MS }];
  }
  return [...held, ...makeStorage(observed, plan, job), ...lift, ...announce(job, intent)];
}

type Fault = readonly [reason: Reason, message: string];

/** Policy was asked at admission; an administrator may have tightened it since. */
function pathFault({ bound }: TrainingStorage, limits: StorageLimits): Fault | undefined {
  const [cause] = bound.validate("storage", limits);
  return cause === undefined ? undefined : ["PathNotAllowed", `${cause.field}: ${cause.message}`];
}

function storageFault(
  { claim, hostname, job }: ExportingPodObserved,
  { writers }: ExportIntent,
  { bound }: TrainingStorage,
  plan: VolumePlan,
): Fault | undefined {
  if (plan.make === undefined) {
    if (claim === undefined) {
      const message = `waits for the claim ${plan.claimName}, which does not exist in this namespace`;
      return ["ClaimNotFound", message];
    }
    const modes = claim.spec?.accessModes ?? [];
    const isAlone = (job?.spec?.parallelism ?? 1) <= 1;
    if (writers !== "all" || isAlone || modes.includes("ReadWriteMany")) return undefined;
    const message = `waits: writers: all needs ReadWriteMany among the accessModes of the claim ${plan.claimName}, which has ${modes.join(", ") || "none"}`;
    return ["InvalidAnnotation", message];
  }
  if (bound.nodeName === undefined || hostname !== undefined) return undefined;
  const message = `waits for the node ${bound.nodeName}, which does not exist or has no label kubernetes.io/hostname`;
  return ["StorageNotBound", message];
}

function busyFault({ users }: ExportingPodObserved): Fault | undefined {
  if (users.length === 0) return undefined;
  return [
    "LocationBusy",
    `waits: the location that this job writes to is used by ${users.join(", ")}`,
  ];
}

function makeStorage(
  { claim, volume }: ExportingPodObserved,
  plan: VolumePlan,
  job: Job,
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

function hasStarted({ status }: Pod): boolean {
  return status?.phase !== undefined && status.phase !== "Pending";
}

function removeGate(pod: Pod, gate: number): readonly PatchOperation[] {
  return [
    { op: "test", path: "/metadata/uid", value: pod.metadata?.uid },
    { op: "test", path: `/spec/schedulingGates/${gate}/name`, value: GATES.export },
    { op: "remove", path: `/spec/schedulingGates/${gate}` },
  ];
}

/** A job made before modelhook was there, or past its webhook, gets what the webhook gives the others. */
function holdJob(job: Job): Action {
  const { finalizers, labels } = job.metadata ?? {};
  const operations: readonly PatchOperation[] = [
    { op: "test", path: "/metadata/uid", value: job.metadata?.uid },
    finalizers === undefined || finalizers === null
      ? { op: "add", path: "/metadata/finalizers", value: [FINALIZERS.export] }
      : { op: "add", path: "/metadata/finalizers/-", value: FINALIZERS.export },
    labels === undefined || labels === null
      ? { op: "add", path: "/metadata/labels", value: { [LABELS.export]: "true" } }
      : { op: "add", path: `/metadata/labels/${pointerToken(LABELS.export)}`, value: "true" },
  ];
  return { type: "patch", ref: refOf(job), operations };
}

function announce(job: Job, intent: ExportIntent): readonly Action[] {
  const pods = job.spec?.completions ?? job.spec?.parallelism ?? 1;
  if (pods <= 1 || intent.writers === "all") return [];
  const message = `1 of ${pods} pods writes the model (completion index 0); what the others write to the same path is dropped, and may be no more than ${SCRATCH_LIMIT}`;
  return [warningOn(refOf(job), "WriterSubset", message)];
}
