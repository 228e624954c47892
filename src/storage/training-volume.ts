import { LABELS, type ExportIntent } from "../api/annotations.ts";
import type { Storage } from "../api/storage.ts";
import { hexOfUid, trainingClaimName } from "../api/names.ts";
import { storageOf, type BoundStorage } from "./bound.ts";
import type { StorageLimits, VolumePlan } from "./provider.ts";

/** The job that writes, as far as it is known when its pods are admitted. */
export interface ExportingJob {
  readonly namespace: string;
  readonly uid: string;
}

/** The storage that the pods of one job write to. */
export interface TrainingStorage {
  /** What the ModelVersion of the job will name. */
  readonly storage: Storage;
  readonly bound: BoundStorage;
  /** Equal for two jobs that write to one directory. */
  readonly location: string;
}

/** Where a job writes: its storage, or with `clean` an empty directory of its own below it. The intent must be valid. */
export function trainingStorage(intent: ExportIntent, job: ExportingJob): TrainingStorage {
  const given = storageOf(intent.storage);
  if (given === undefined) throw new TypeError("the export names no storage, or several");
  const storage = intent.clean === true ? given.below(hexOfUid(job.uid, 10)) : intent.storage;
  const bound = storageOf(storage) ?? given;
  return { storage, bound, location: bound.location(job.namespace) };
}

/** Name of the claim that a job's pods mount: the user's own, or one that we make. */
export function trainingClaim(intent: ExportIntent, job: ExportingJob): string {
  const { location } = trainingStorage(intent, job);
  return (
    intent.storage.persistentVolumeClaim?.claimName ??
    trainingClaimName(job.namespace, job.uid, location)
  );
}

/**
 * How a job's pods mount where they write: the same answer at admission, when a pod names a claim, and later, when the
 * controller makes it. `hostname` is the node's label, needed to make the volume but not to name it.
 */
export function trainingVolume(
  { bound, location }: TrainingStorage,
  job: ExportingJob,
  limits: StorageLimits,
  hostname?: string,
): VolumePlan {
  return bound.plan({
    name: trainingClaimName(job.namespace, job.uid, location),
    namespace: job.namespace,
    labels: { [LABELS.export]: "true", [LABELS.jobUid]: job.uid },
    limits,
    hostname,
  });
}
