import { ANNOTATIONS, FINALIZERS, LABELS } from "../api/annotations.ts";
import { setEntry } from "../api/entry-patch.ts";
import { isFields } from "../api/fields.ts";
import { withFinalizer } from "../api/finalizer.ts";
import type { KubeObject } from "../api/kube-types.ts";
import type { PatchOperation } from "../api/review.ts";
import { fieldAt } from "../jobs/field.ts";
import type { JobKind } from "../jobs/job-kind.ts";
import type { PodTemplate } from "../jobs/templates.ts";

type Entries = Readonly<Record<string, string>> | null | undefined;

/** The operations that make a job export: the finalizer and the label where nobody above it has them, the annotation in every template. */
export function hookJob(
  job: KubeObject,
  { passesOn }: Pick<JobKind, "passesOn">,
  about: {
    readonly text: string;
    readonly templates: readonly PodTemplate[];
    readonly isTop: boolean;
  },
): readonly PatchOperation[] {
  const { text, templates, isTop } = about;
  return [
    ...(isTop
      ? [
          // No API server sends an object without.
          ...(isFields(job.metadata) ? [] : [{ op: "add", path: "/metadata", value: {} } as const]),
          ...withFinalizer(job, FINALIZERS.export),
          ...setEntry("/metadata/labels", job.metadata?.labels, LABELS.export, "true"),
        ]
      : []),
    ...templates.flatMap((template) => annotate(template, text)),
    ...(passesOn === undefined ? [] : passOn(job, passesOn, text)),
  ];
}

function annotate(
  { pointer, hasMetadata, annotations }: PodTemplate,
  value: string,
): readonly PatchOperation[] {
  const path = `${pointer}/metadata`;
  if (!hasMetadata) {
    return [{ op: "add", path, value: { annotations: { [ANNOTATIONS.export]: value } } }];
  }
  return setEntry(`${path}/annotations`, annotations, ANNOTATIONS.export, value);
}

function passOn(job: KubeObject, path: string, value: string): readonly PatchOperation[] {
  const entries = fieldAt(job, path) as Entries;
  const isOther = entries !== undefined && entries !== null && !isFields(entries);
  // Where it can not be, the schema of the kind refuses the object, and says so.
  if (isOther || !isFields(fieldAt(job, path.replace(/\.[^.]*$/, "")))) return [];
  return setEntry(`/${path.replaceAll(".", "/")}`, entries, ANNOTATIONS.export, value);
}
