import {
  ANNOTATIONS,
  FINALIZERS,
  LABELS,
  isAsking,
  type ExportIntent,
} from "../api/annotations.ts";
import type { Job, ObjectMeta } from "../api/kube-types.ts";
import { pointerToken, type PatchOperation, type Warning } from "../api/review.ts";
import { SCRATCH_LIMIT } from "../inject/completion-hook.ts";
import { readIntent } from "../inject/intent.ts";
import type { JobKind } from "../jobs/kinds.ts";
import { storageOf } from "../storage/bound.ts";
import { allow, deny, patch, type Decision } from "./decision.ts";
import { validateExport } from "./export-intent.ts";
import { limitsOf } from "./policy.ts";
import type { Snapshot } from "./snapshot.ts";

/** Where a job, and where its pod template, keeps annotations. */
const OWN = "metadata.annotations";
const TEMPLATE = "spec.template.metadata.annotations";

/** True for a job that says anything in our words, or whose pods ask for an export: what `decideExportingJob` decides on. */
export function isDecidedAsJob({ metadata, spec }: Job): boolean {
  return (
    Object.keys(metadata?.annotations ?? {}).some(isAsking) ||
    spec?.template?.metadata?.annotations?.[ANNOTATIONS.export] !== undefined
  );
}

/**
 * Decides on a job that exports a model: its pods get the annotation, and the job the finalizer that keeps it until its
 * model is a ModelVersion.
 */
export function decideExportingJob(
  namespace: string,
  job: Job,
  kind: JobKind,
  snapshot: Snapshot,
): Decision {
  const own = job.metadata?.annotations?.[ANNOTATIONS.export];
  const template = job.spec?.template?.metadata ?? undefined;
  const inTemplate = template?.annotations?.[ANNOTATIONS.export];
  if (own !== undefined && inTemplate !== undefined && own !== inTemplate) {
    const field = exportField(OWN);
    const message = `differs from ${exportField(TEMPLATE)}; set it once`;
    return deny("ContradictingAnnotations", [{ field, message }]);
  }
  const path = inTemplate === undefined ? OWN : TEMPLATE;
  const annotations = {
    ...template?.annotations,
    ...(own === undefined ? {} : { [ANNOTATIONS.export]: own }),
  };
  const { [ANNOTATIONS.export]: _, ...others } = job.metadata?.annotations ?? {};
  const onJob = readIntent(others, OWN);
  const read = readIntent(annotations, TEMPLATE);
  const said = [...onJob.warnings, ...idleOnJob(job), ...read.warnings];
  if (!onJob.ok) {
    return deny(onJob.reason, [...onJob.causes, ...(read.ok ? [] : read.causes)], said);
  }
  if (!read.ok) {
    const causes = read.causes.map(({ field, message }) => ({
      // All but the export stand in the template.
      field: field.replace(exportField(TEMPLATE), exportField(path)),
      message,
    }));
    return deny(read.reason, causes, said);
  }
  if (read.intent.optedOut) return allow("OptedOut", said);
  const intent = read.intent.export;
  if (intent === undefined) return allow("NothingAsked", said);
  const faults = validateExport(intent, path, limitsOf(snapshot.policy, namespace));
  if (faults.length > 0) return deny("InvalidAnnotation", faults, said);
  if (kind.hasNoFirstPod(job) && intent.writers !== "all") return denyWriters(path, said);
  const warnings = [...said, ...writerSubset(job, intent)];
  return patch("ExportHooked", hook(job, own, template), warnings);
}

/** Keys that say something on pods, and nothing on the job that makes them. */
function idleOnJob(job: Job): readonly Warning[] {
  const own = job.metadata?.annotations ?? {};
  return Object.values(ANNOTATIONS)
    .filter((key) => key !== ANNOTATIONS.export && key !== ANNOTATIONS.status)
    .filter((key) => Object.hasOwn(own, key))
    .map((key) => ({
      reason: "IdleAnnotation",
      message: `${key} has no effect on the job itself; set it in ${TEMPLATE}`,
    }));
}

function exportField(path: string): string {
  return `${path}[${ANNOTATIONS.export}]`;
}

function denyWriters(path: string, warnings: readonly Warning[]): Decision {
  const field = `${exportField(path)}.writers`;
  const message = `must be "all": several pods run and none of them is the first; or set completionMode: Indexed, so that index 0 writes`;
  return deny("AllWritersRequired", [{ field, message }], warnings);
}

function writerSubset(job: Job, intent: ExportIntent): readonly Warning[] {
  const pods = job.spec?.completions ?? job.spec?.parallelism ?? 1;
  if (pods <= 1 || intent.writers === "all") return [];
  const type = storageOf(intent.storage)?.type ?? "the storage";
  const message = `1 of ${pods} pods writes the model (completion index 0, ${type}); what the others write to the same path is dropped, and may be no more than ${SCRATCH_LIMIT}`;
  return [{ reason: "WriterSubset", message }];
}

function hook(
  job: Job,
  own: string | undefined,
  template: ObjectMeta | undefined,
): readonly PatchOperation[] {
  return [
    ...addFinalizer(job.metadata?.finalizers ?? undefined),
    ...setEntry("/metadata/labels", job.metadata?.labels, LABELS.export, "true"),
    ...(own === undefined ? [] : annotateTemplate(template, own)),
  ];
}

function addFinalizer(finalizers: readonly string[] | undefined): readonly PatchOperation[] {
  const path = "/metadata/finalizers";
  if (finalizers === undefined) return [{ op: "add", path, value: [FINALIZERS.export] }];
  if (finalizers.includes(FINALIZERS.export)) return [];
  return [{ op: "add", path: `${path}/-`, value: FINALIZERS.export }];
}

function annotateTemplate(
  template: ObjectMeta | undefined,
  value: string,
): readonly PatchOperation[] {
  const path = "/spec/template/metadata";
  if (template === undefined) {
    return [{ op: "add", path, value: { annotations: { [ANNOTATIONS.export]: value } } }];
  }
  return setEntry(`${path}/annotations`, template.annotations, ANNOTATIONS.export, value);
}

function setEntry(
  path: string,
  entries: Readonly<Record<string, string>> | null | undefined,
  key: string,
  value: string,
): readonly PatchOperation[] {
  if (entries?.[key] === value) return [];
  return entries === undefined || entries === null
    ? [{ op: "add", path, value: { [key]: value } }]
    : [{ op: "add", path: `${path}/${pointerToken(key)}`, value }];
}
