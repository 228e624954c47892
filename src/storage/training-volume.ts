import { LABELS, type ExportIntent } from "../api/annotations.ts";
import type { Storage } from "../api/modelversion.ts";
import { hexOfUid, trainingClaimName } from "../api/names.ts";
import { storageOf, type BoundStorage } from "./bound.ts";
import type { StorageLimits, VolumePlan } from "./provider.ts";

/** The storage that the pods of one job write to. */
export interface TrainingVolume {
  /** What the ModelVersion of the job will name. */
  readonly storage: Storage;
  readonly bound: BoundStorage;
  readonly location: string;
  readonly plan: VolumePlan;
}

/** The job that writes, as far as it is known when its pods are admitted. */
export interface ExportingJob {
  readonly namespace: string;
  readonly uid: string;
}

/**
 * Where a job's pods write: the same answer at admission, when the pod names a claim, and later, when the controller makes it.
 * The intent must be valid. `hostname` is the node's label, needed to make the volume but not to name it.
 */
export function trainingVolume(
  intent: ExportIntent,
  job: ExportingJob,
  limits: StorageLimits,
  hostname?: string,
): TrainingVolume {
  const given = storageOf(intent.storage);
  if (given === undefined) throw new TypeError("the export names no storage, or several");
  const storage = intent.clean === true ? given.below(hexOfUid(job.uid, 10)) : intent.storage;
  const bound = storageOf(storage) ?? given;
  const location = bound.location(job.namespace);
  const plan = bound.plan({
    name: trainingClaimName(job.namespace, job.uid, location),
    namespace: job.namespace,
    labels: { [LABELS.export]: "true", [LABELS.jobUid]: job.uid },
    limits,
    hostname,
  });
  return { storage, bound, location, plan };
}
