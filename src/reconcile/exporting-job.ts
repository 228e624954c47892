import { ANNOTATIONS, FINALIZERS, parseExport, type ExportIntent } from "../api/annotations.ts";
import type { Job, Pod } from "../api/kube-types.ts";
import type { PatchOperation } from "../api/review.ts";
import { storageOf } from "../storage/bound.ts";

/**
 * What the job exports: the annotation of its pods, into which the webhook copies the job's own; undefined when that is missing,
 * unreadable or names no one storage. The job's own is never read here: anybody may change it after it was checked.
 */
export function exportIntentOf(job: Job): ExportIntent | undefined {
  return readIntent(job.spec?.template?.metadata?.annotations?.[ANNOTATIONS.export]);
}

/** What a pod was told to export when it was admitted; it outlives the job. */
export function exportIntentOfPod(pod: Pod): ExportIntent | undefined {
  return readIntent(pod.metadata?.annotations?.[ANNOTATIONS.export]);
}

/** True while the job carries the finalizer that keeps it until its model is a ModelVersion. */
export function isHeld(job: Job): boolean {
  return job.metadata?.finalizers?.includes(FINALIZERS.export) === true;
}

/** Takes the finalizer off, if it still stands where it was seen. */
export function releaseJob(job: Job): readonly PatchOperation[] {
  const index = job.metadata?.finalizers?.indexOf(FINALIZERS.export) ?? -1;
  if (index === -1) return [];
  const path = `/metadata/finalizers/${index}`;
  return [
    { op: "test", path, value: FINALIZERS.export },
    { op: "remove", path },
  ];
}

function readIntent(text: string | undefined): ExportIntent | undefined {
  if (text === undefined) return undefined;
  const parsed = parseExport(text);
  return parsed.ok && storageOf(parsed.value.storage) !== undefined ? parsed.value : undefined;
}
