import type { ExportIntent } from "../api/annotations.ts";
import type { Pod } from "../api/kube-types.ts";
import { controllerOf, type OwningJob } from "../jobs/owner.ts";
import {
  exportIntentOf,
  exportIntentOfPod,
  exportingJobOf,
  jobUidOf,
} from "../reconcile/exporting-job.ts";
import { exportClaimOf } from "../reconcile/location.ts";
import { trainingClaim, trainingStorage, type ExportingJob } from "../storage/training-volume.ts";

/** The directory that a job's pods write to; undefined when its export can not be read. */
export function locationOf(owning: OwningJob): string | undefined {
  return locationIn(exportIntentOf(owning), exportingJobOf(owning));
}

/**
 * The directory that a pod writes to, by what it was told when it was admitted; undefined for one whose output is dropped. The
 * annotation may have been changed since; a claim that we made can not, and its name holds the directory.
 */
export function locationOfPod(pod: Pod): string | undefined {
  const { namespace = "" } = pod.metadata ?? {};
  const uid = controllerOf(pod) === undefined ? "" : (jobUidOf(pod) ?? "");
  const job = { namespace, uid };
  const intent = exportIntentOfPod(pod);
  const claimName = exportClaimOf(pod);
  if (intent === undefined || claimName !== trainingClaim(intent, job)) return undefined;
  return locationIn(intent, job);
}

function locationIn(intent: ExportIntent | undefined, job: ExportingJob): string | undefined {
  return intent === undefined ? undefined : trainingStorage(intent, job).location;
}
