import type { ExportIntent } from "../api/annotations.ts";
import type { Reason } from "../api/reasons.ts";
import type { OwningJob } from "../jobs/owner.ts";
import { sizeOf } from "../jobs/writer.ts";
import type { VolumePlan } from "../storage/provider.ts";
import type { TrainingStorage } from "../storage/training-volume.ts";
import type { ExportingPodObserved } from "./export-gate.ts";
import { exportClaimOf } from "./location.ts";

/** Why an exporting pod has to wait. */
export interface ExportFault {
  readonly reason: Reason;
  readonly message: string;
  /** True when nothing but a change of the job or of the limits ends it; both are heard of. */
  readonly isFinal: boolean;
}

/** The export as the job stands now. */
export interface Planned {
  readonly owning: OwningJob;
  readonly intent: ExportIntent;
  readonly training: TrainingStorage;
  readonly plan: VolumePlan;
}

/** The first thing that keeps a pod from starting whose path and claim are right; undefined when its turn has come. */
export function exportFault(
  observed: ExportingPodObserved,
  planned: Planned,
): ExportFault | undefined {
  return storageFault(observed, planned) ?? busyFault(observed);
}

/** Policy was asked at admission; an administrator may have tightened it since. Nothing can be planned for such a path. */
export function pathFault(
  { limits }: ExportingPodObserved,
  { bound }: TrainingStorage,
): ExportFault | undefined {
  const [cause] = bound.validate("storage", limits);
  if (cause === undefined) return undefined;
  return { reason: "PathNotAllowed", message: `${cause.field}: ${cause.message}`, isFinal: true };
}

/** The claim that the pod mounts can not change any more. */
export function claimFault(
  { pod }: ExportingPodObserved,
  plan: VolumePlan,
): ExportFault | undefined {
  const mounted = exportClaimOf(pod);
  if (mounted === undefined || mounted === plan.claimName) return undefined;
  const message = `waits for ever: it writes to the claim ${mounted}, and what its job exports now lies in ${plan.claimName}; delete the pod, so that its job makes it anew`;
  return { reason: "InvalidAnnotation", message, isFinal: true };
}

function waits(reason: Reason, message: string): ExportFault {
  return { reason, message: `waits${message}`, isFinal: false };
}

function storageFault(
  { claim, volume, hostname }: ExportingPodObserved,
  { owning, intent, training: { bound }, plan }: Planned,
): ExportFault | undefined {
  const ending = [claim, volume].find((each) => each?.metadata?.deletionTimestamp !== undefined);
  if (ending !== undefined) {
    const what = ending === claim ? "claim" : "volume";
    const message = ` for the ${what} ${plan.claimName} to be gone, which is being deleted; pods that have ended keep it, too`;
    return waits("StorageNotBound", message);
  }
  if (plan.make === undefined) {
    if (claim === undefined) {
      const message = ` for the claim ${plan.claimName}, which does not exist in this namespace`;
      return waits("ClaimNotFound", message);
    }
    const modes = claim.spec?.accessModes ?? [];
    const isAlone = sizeOf(owning.kind, owning.job) <= 1;
    if (intent.writers !== "all" || isAlone || modes.includes("ReadWriteMany")) return undefined;
    const message = `: writers: all needs ReadWriteMany among the accessModes of the claim ${plan.claimName}, which has ${modes.join(", ") || "none"}`;
    return waits("InvalidAnnotation", message);
  }
  if (bound.nodeName === undefined || hostname !== undefined) return undefined;
  const message = ` for the node ${bound.nodeName}, which does not exist or has no label kubernetes.io/hostname`;
  return waits("StorageNotBound", message);
}

function busyFault({ users }: ExportingPodObserved): ExportFault | undefined {
  if (users.length === 0) return undefined;
  const message = `waits: the location that this job writes to is used by ${users.join(", ")}`;
  return { reason: "LocationBusy", message, isFinal: false };
}
