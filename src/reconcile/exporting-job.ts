import {
  ANNOTATIONS,
  EXPORT_RECORD,
  FINALIZERS,
  LABELS,
  parseExport,
  type ExportIntent,
} from "../api/annotations.ts";
import { setEntry } from "../api/entry-patch.ts";
import { hasFinalizer, withFinalizer } from "../api/finalizer.ts";
import { exportRecordOf, printExportRecord, type ExportRecord } from "../api/export-record.ts";
import type { KubeObject, Pod } from "../api/kube-types.ts";
import { pointerToken, type PatchOperation } from "../api/review.ts";
import { BARE_POD, BATCH_JOB } from "../jobs/kinds.ts";
import { controllerOf, type OwningJob } from "../jobs/owner.ts";
import { writtenExport } from "../jobs/written-export.ts";
import { storageOf } from "../storage/bound.ts";
import type { ExportingJob } from "../storage/training-volume.ts";
import { refOf, type Action } from "./action.ts";

/**
 * What a job exports; undefined when that is missing, unreadable or names no one storage. Before it is let go its templates say so,
 * into which the webhook copied the job's own annotation; from then on the record, since templates of most kinds can be changed
 * while the job runs, and its pods write where they were told first. Those of a Job can not. The job's own annotation is never read
 * here: anybody may change it after it was checked.
 */
export function exportIntentOf({ job, kind }: OwningJob): ExportIntent | undefined {
  return kind === BATCH_JOB
    ? (writtenIntent({ job, kind }) ?? exportRecordOf(job)?.intent)
    : (exportRecordOf(job)?.intent ?? writtenIntent({ job, kind }));
}

function writtenIntent(owning: OwningJob): ExportIntent | undefined {
  if (owning.kind === BARE_POD) return exportIntentOfPod(owning.job);
  const text = writtenExport(owning);
  return text === undefined ? undefined : readIntent(text);
}

/** What a pod was told to export when it was admitted; it outlives the job. */
export function exportIntentOfPod(pod: KubeObject): ExportIntent | undefined {
  const text = pod.metadata?.annotations?.[ANNOTATIONS.export];
  return text === undefined ? undefined : readIntent(text);
}

/** The binding that asked for the pod's export, as the webhook noted it; undefined where its annotation did. */
export function exportBindingOf({ metadata }: Pod): string | undefined {
  try {
    const status: unknown = JSON.parse(metadata?.annotations?.[ANNOTATIONS.status] ?? "");
    const { binding } = status as { readonly binding?: unknown };
    return typeof binding === "string" ? binding : undefined;
  } catch {
    return undefined;
  }
}

/** The job as names of claims are made from it: a pod that is its own job had no UID when it was admitted. */
export function exportingJobOf({ job, kind }: OwningJob): ExportingJob {
  const { namespace = "", uid = "" } = job.metadata ?? {};
  return { namespace, uid: kind === BARE_POD ? "" : uid };
}

/** UID of the job that an exporting pod belongs to; its own where nothing controls it. */
export function jobUidOf(pod: Pod): string | undefined {
  const owner = controllerOf(pod);
  if (owner === undefined) return pod.metadata?.uid;
  return pod.metadata?.labels?.[LABELS.jobUid] ?? owner.uid;
}

/** True while a job, or the version that came of it, carries the finalizer that keeps it until the job has been let go. */
export function isHeld(object: KubeObject): boolean {
  return hasFinalizer(object, FINALIZERS.export);
}

/**
 * Notes the record on the job, and holds a job that is not held yet, because it was made before modelhook was there or past its
 * webhook, by what the webhook gives the others: finalizer and label.
 */
export function markJob(job: KubeObject, record: ExportRecord | undefined): readonly Action[] {
  return changeJob(job, [
    ...withFinalizer(job, FINALIZERS.export),
    ...setEntry("/metadata/labels", job.metadata?.labels, LABELS.export, "true"),
    ...(record === undefined ? [] : recordIn(job, record)),
  ]);
}

/** Notes the record on a job that the same pass holds already. */
export function noteRecord(job: KubeObject, record: ExportRecord): readonly Action[] {
  return changeJob(job, recordIn(job, record));
}

function recordIn({ metadata }: KubeObject, record: ExportRecord): readonly PatchOperation[] {
  const path = "/metadata/annotations";
  const before = metadata?.annotations?.[EXPORT_RECORD];
  return [
    // Several passes note what each has seen; none takes away what another has noted meanwhile.
    ...(before === undefined
      ? []
      : [{ op: "test", path: `${path}/${pointerToken(EXPORT_RECORD)}`, value: before } as const]),
    ...setEntry(path, metadata?.annotations, EXPORT_RECORD, printExportRecord(record)),
  ];
}

function changeJob(job: KubeObject, operations: readonly PatchOperation[]): readonly Action[] {
  if (operations.length === 0) return [];
  const { uid, resourceVersion } = job.metadata ?? {};
  // Whole maps and lists are only put where there are none: somebody may have made them meanwhile.
  const isWhole = operations.some(({ path }) => path.split("/").length === 3);
  const precondition: PatchOperation = isWhole
    ? { op: "replace", path: "/metadata/resourceVersion", value: resourceVersion }
    : { op: "test", path: "/metadata/uid", value: uid };
  return [{ type: "patch", ref: refOf(job), operations: [precondition, ...operations] }];
}

function readIntent(text: string): ExportIntent | undefined {
  const parsed = parseExport(text);
  return parsed.ok && storageOf(parsed.value.storage) !== undefined ? parsed.value : undefined;
}
