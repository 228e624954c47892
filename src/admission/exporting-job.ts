import { ANNOTATIONS, isAsking, parseExport, type ExportIntent } from "../api/annotations.ts";
import { isFields } from "../api/fields.ts";
import type { KubeObject } from "../api/kube-types.ts";
import type { Cause, Warning } from "../api/review.ts";
import { writerSubset } from "../inject/completion-hook.ts";
import { readIntent } from "../inject/intent.ts";
import { fieldAt } from "../jobs/field.ts";
import type { JobKind } from "../jobs/job-kind.ts";
import { jobKind } from "../jobs/kinds.ts";
import { controllerOf, type OwningJob } from "../jobs/owner.ts";
import { podTemplatesOf, type PodTemplate } from "../jobs/templates.ts";
import { hasNoFirstPod, silentWriter, writesElsewhere } from "../jobs/writer.ts";
import { storageOf } from "../storage/bound.ts";
import { allow, deny, patch, type Decision } from "./decision.ts";
import { hookJob } from "./exporting-job-patch.ts";
import { validateExportSpec } from "./export-intent.ts";
import { limitsOf } from "./policy.ts";
import type { Snapshot } from "./snapshot.ts";

/** Where a job keeps annotations of its own. */
const OWN = "metadata.annotations";

/** Where KubeDL's jobs say what they export. */
const MODEL_VERSION = "spec.modelVersion";

/** What a job exports, and where it says so. */
interface Asked {
  readonly text: string;
  readonly field: string;
  readonly inTemplate: boolean;
}

/** True for a job that says anything in our words, or whose pods ask for an export: what `decideExportingJob` decides on. */
export function isDecidedAsJob(job: KubeObject, kind: JobKind): boolean {
  return (
    Object.keys(job.metadata?.annotations ?? {}).some(isAsking) ||
    isFields(fieldAt(job, MODEL_VERSION)) ||
    podTemplatesOf(job, kind).some(
      ({ annotations }) => annotations?.[ANNOTATIONS.export] !== undefined,
    )
  );
}

/**
 * Decides on a job that exports a model: its pods get the annotation, and the job the finalizer that keeps it until its
 * model is a ModelVersion. A job that another known job makes only hands the annotation on.
 */
export function decideExportingJob(
  namespace: string,
  job: KubeObject,
  kind: JobKind,
  snapshot: Snapshot,
): Decision {
  const own = { ...job.metadata?.annotations };
  const { [ANNOTATIONS.export]: _, ...others } = own;
  const onJob = readIntent(others, OWN);
  const templates = podTemplatesOf(job, kind);
  const said = [...onJob.warnings, ...idleOnJob(own, templates)];
  if (!onJob.ok) return deny(onJob.reason, onJob.causes, said);
  if (snapshot.standby && isFields(fieldAt(job, MODEL_VERSION))) {
    const message = `${MODEL_VERSION} is left to KubeDL, which runs in this cluster`;
    return allow("NotOurs", [...said, { reason: "KubeDLPresent", message }]);
  }
  const asked = askedBy(job, templates);
  const differing = asked.find(({ text }) => meaningOf(text) !== meaningOf(asked[0]?.text ?? ""));
  if (differing !== undefined) {
    const message = `differs from ${asked[0]?.field}; set it once`;
    return deny("ContradictingAnnotations", [{ field: differing.field, message }], said);
  }
  const [first] = asked;
  // Who writes it into some of the templates means those.
  const isInTemplates = asked.every(({ inTemplate }) => inTemplate);
  const inTemplates = readTemplates(templates, first, isInTemplates);
  const warnings = [...said, ...inTemplates.warnings];
  if (inTemplates.causes.length > 0) return deny(inTemplates.reason, inTemplates.causes, warnings);
  if (first === undefined || (templates.length > 0 && inTemplates.optedOut)) {
    return allow(first === undefined ? "NothingAsked" : "OptedOut", warnings);
  }
  const parsed = parseExport(first.text);
  if (!parsed.ok) {
    const causes = parsed.faults.map((fault) => ({
      field: [first.field, fault.field].filter((part) => part !== "").join("."),
      message: fault.message,
    }));
    return deny("InvalidAnnotation", causes, warnings);
  }
  const intent = parsed.value;
  const faults = validateExportSpec(intent, first.field, limitsOf(snapshot.policy, namespace));
  if (faults.length > 0) return deny("InvalidAnnotation", faults, warnings);
  const isElsewhere = templates.length === 0 || writesElsewhere(kind, job);
  if (isElsewhere && kind.passesOn === undefined) return denyElsewhere(first, warnings);
  const silent = isInTemplates && intent.writers !== "all" ? silentWriter(kind, job) : undefined;
  if (silent !== undefined) {
    const message = `would be written by nobody: the pod of ${silent} writes; set it there, or once on the ${kind.kind}`;
    return deny("InvalidAnnotation", [{ field: first.field, message }], warnings);
  }
  const jobs = [job, ...templates.flatMap(({ job: made }) => (made === undefined ? [] : [made]))];
  if (jobs.some(hasNoFirstPod) && intent.writers !== "all") return denyWriters(first, warnings);
  const isTop = jobKind(snapshot.policy.jobKinds, controllerOf(job) ?? {}) === undefined;
  const operations = hookJob(job, kind, {
    text: first.text,
    templates: isInTemplates ? [] : templates,
    isTop,
  });
  return patch("ExportHooked", operations, [
    ...warnings,
    ...(isTop ? subsetWarning({ job, kind }, intent) : []),
  ]);
}

/** The same for texts that say the same, in whatever order and form. */
function meaningOf(text: string): string {
  const parsed = parseExport(text);
  return parsed.ok ? JSON.stringify(parsed.value) : text;
}

function askedBy(job: KubeObject, templates: readonly PodTemplate[]): readonly Asked[] {
  const own = job.metadata?.annotations?.[ANNOTATIONS.export];
  const modelVersion = fieldAt(job, MODEL_VERSION);
  return [
    ...(own === undefined
      ? []
      : [{ text: own, field: `${OWN}[${ANNOTATIONS.export}]`, inTemplate: false }]),
    ...(isFields(modelVersion)
      ? [{ text: JSON.stringify(modelVersion), field: MODEL_VERSION, inTemplate: false }]
      : []),
    ...templates.flatMap(({ annotations, path }) => {
      const text = annotations?.[ANNOTATIONS.export];
      const field = `${path}.${OWN}[${ANNOTATIONS.export}]`;
      return text === undefined ? [] : [{ text, field, inTemplate: true }];
    }),
  ];
}

/** What the templates say besides the export, once they have it. */
function readTemplates(
  templates: readonly PodTemplate[],
  asked: Asked | undefined,
  isInTemplates: boolean,
): {
  readonly reason: Parameters<typeof deny>[0];
  readonly causes: readonly Cause[];
  readonly warnings: readonly Warning[];
  /** Whether all pods that would export are to be left alone. */
  readonly optedOut: boolean;
} {
  const exporting = templates.map(
    ({ annotations }) => !isInTemplates || annotations?.[ANNOTATIONS.export] !== undefined,
  );
  const read = templates.map(({ annotations, path }, index) => {
    const isExporting = asked !== undefined && exporting[index];
    const export_ = isExporting ? { [ANNOTATIONS.export]: asked.text } : {};
    return readIntent({ ...annotations, ...export_ }, `${path}.${OWN}`);
  });
  const bad = read.filter((each) => !each.ok);
  const causes = bad
    .flatMap((each) => each.causes)
    .map(({ field, message }) => ({
      // What is wrong with the export stands where it was written.
      field:
        asked === undefined
          ? field
          : field.replace(/^.*\[model\.kubedl\.io\/export\]/, asked.field),
      message,
    }));
  return {
    reason: bad[0]?.reason ?? "InvalidAnnotation",
    causes: unique(causes),
    warnings: unique(read.flatMap(({ warnings }) => warnings)),
    optedOut: read.every((each, index) => !exporting[index] || (each.ok && each.intent.optedOut)),
  };
}

/** Each once: what is wrong with the export is so in every template. */
function unique<T>(values: readonly T[]): readonly T[] {
  return [...new Map(values.map((value) => [JSON.stringify(value), value])).values()];
}

/** Keys that say something on pods, and nothing on the job that makes them. */
function idleOnJob(
  own: Readonly<Record<string, string>>,
  templates: readonly PodTemplate[],
): readonly Warning[] {
  const [first] = templates;
  const remedy = first === undefined ? "" : `; set it in ${first.path}.${OWN}`;
  return Object.values(ANNOTATIONS)
    .filter((key) => key !== ANNOTATIONS.export && isAsking(key))
    .filter((key) => Object.hasOwn(own, key))
    .map((key) => ({
      reason: "IdleAnnotation",
      message: `${key} has no effect on the job itself${remedy}`,
    }));
}

/** A job that runs in a cluster which others made has no pod of its own that writes. */
function denyElsewhere({ field }: Asked, warnings: readonly Warning[]): Decision {
  const message =
    "can not be followed: the job has no template of the pod that would write; set it on what makes that, or use a ModelBinding";
  return deny("InvalidAnnotation", [{ field, message }], warnings);
}

function denyWriters({ field }: Asked, warnings: readonly Warning[]): Decision {
  const message = `must be "all": several pods run and none of them is the first; or set completionMode: Indexed, so that index 0 writes`;
  return deny("AllWritersRequired", [{ field: `${field}.writers`, message }], warnings);
}

function subsetWarning(owning: OwningJob, intent: ExportIntent): readonly Warning[] {
  const type = storageOf(intent.storage)?.type ?? "the storage";
  const message = writerSubset(owning, intent, type);
  return message === undefined ? [] : [{ reason: "WriterSubset", message }];
}
