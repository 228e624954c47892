import { ANNOTATIONS } from "../api/annotations.ts";
import { isFields } from "../api/fields.ts";
import type { KubeObject } from "../api/kube-types.ts";
import { fieldAt, listAt, textAt } from "./field.ts";
import type { JobKind, WriterRule } from "./job-kind.ts";
import { JOB } from "./places.ts";

type ReplicaRule = Extract<WriterRule, { by: "replica-type" }>;
type ItemRule = Extract<WriterRule, { by: "item" }>;

/**
 * True for the pod that writes the model when one does. `owners` are the objects above it, the job itself among them: of those a
 * TrainJob leaves it to the JobSet that it makes.
 */
export function isWriterPod(
  { writer }: Pick<JobKind, "writer">,
  pod: KubeObject,
  owners: readonly KubeObject[],
): boolean {
  switch (writer.by) {
    case "index":
      return indexOf(pod, writer.index) === "0";
    case "labels":
      return Object.entries(writer.labels).every(
        ([key, value]) => pod.metadata?.labels?.[key] === value,
      );
    case "replica-type": {
      const own = pod.metadata?.labels?.[writer.type]?.toLowerCase();
      const [first] = owners.flatMap((owner) => firstType(writer, owner) ?? []);
      return own === (first ?? writer.types.at(-1)) && indexOf(pod, writer.index) === "0";
    }
    case "item": {
      const name = pod.metadata?.labels?.[writer.name];
      const first = owners
        .map((owner) => firstItem(writer, owner))
        .find((each) => each !== undefined);
      return (
        (first === undefined || first === name) &&
        writer.indexes.every((key) => indexOf(pod, key) === "0")
      );
    }
  }
}

/** The writer by a name for people, such as `chief 0`. */
export function writerName({ writer }: Pick<JobKind, "writer">, job: KubeObject): string {
  switch (writer.by) {
    case "index":
      return "completion index 0";
    case "labels":
      return writer.name;
    case "replica-type":
      return `${firstType(writer, job) ?? writer.types.at(-1)} 0`;
    case "item": {
      const name = firstItem(writer, job);
      return name === undefined ? "index 0" : `index 0 of ${name}`;
    }
  }
}

/** Path of the template whose pod writes, where the job has it and it does not ask although others do: then nobody would write. */
export function silentWriter(
  { writer }: Pick<JobKind, "writer">,
  job: KubeObject,
): string | undefined {
  if (writer.by !== "labels" || writer.template === undefined) return undefined;
  const template = fieldAt(job, writer.template);
  return template !== undefined && asks(template) ? undefined : writer.template;
}

/** True for a job that has no template of the pod that writes, since that runs in what others made. */
export function writesElsewhere({ writer }: Pick<JobKind, "writer">, job: KubeObject): boolean {
  if (writer.by !== "labels" || writer.template === undefined) return false;
  return fieldAt(job, writer.template) === undefined;
}

/** How many pods a job has, as far as its object tells; what can be read of none counts as one. */
export function sizeOf(
  { places, size }: Pick<JobKind, "places" | "size">,
  job: KubeObject,
): number {
  const told = size === undefined ? undefined : fieldAt(job, size);
  if (typeof told === "number") return told;
  const sum = places.reduce((total, { path, makes }) => {
    const steps = path.split(".");
    const field = steps.at(-1) ?? "";
    const holders = holdersAt(job, steps.slice(0, -1));
    return holders.reduce<number>((count, holder) => {
      const template = fieldAt(holder, field);
      if (template === undefined) return count;
      const inside = makes === "jobs" ? countIn(fieldAt(template, "spec")) : 1;
      return count + countIn(holder) * inside;
    }, total);
  }, 0);
  return Math.max(1, sum);
}

/** True for a batch/v1 Job no pod of which is the first one, so that all would write. */
export function hasNoFirstPod(job: KubeObject): boolean {
  if (job.apiVersion !== JOB.apiVersion || job.kind !== JOB.kind) return false;
  if (textAt(job, "spec.completionMode") === "Indexed") return false;
  const counts = ["spec.parallelism", "spec.completions"].map((path) => fieldAt(job, path));
  return counts.some((count) => typeof count === "number" && count > 1);
}

/** Matches status.completedIndexes, such as `0,2-4`, when it holds 0. */
const FIRST_COMPLETED = /^0(?:[,-]|$)/;

/** The completed indexes of a Job that succeeded although its index 0 did not, as a successPolicy allows; undefined for others. */
export function completedWithoutWriter(job: KubeObject): string | undefined {
  if (job.kind !== JOB.kind || textAt(job, "spec.completionMode") !== "Indexed") return undefined;
  const completed = textAt(job, "status.completedIndexes") ?? "";
  return FIRST_COMPLETED.test(completed) ? undefined : completed || "none";
}

function firstType({ replicas, types }: ReplicaRule, owner: KubeObject): string | undefined {
  const map = fieldAt(owner, replicas);
  if (!isFields(map)) return undefined;
  const entries = Object.entries(map);
  const asking = entries.filter(([, value]) => asks(fieldAt(value, "template")));
  const candidates = (asking.length > 0 ? asking : entries).map(([key]) => key.toLowerCase());
  const known = types.find((type) => candidates.some((each) => each === type));
  // Who lets a type write that never writes by itself, such as an evaluator, means it.
  return known ?? (asking.length > 0 ? candidates[0] : undefined);
}

function firstItem(
  { list, chosen, names, template }: ItemRule,
  owner: KubeObject,
): string | undefined {
  const given = chosen === undefined ? undefined : textAt(owner, chosen);
  if (given !== undefined) return given;
  const items = listAt(owner, list);
  const asking = items.filter((item) => asks(fieldAt(item, template)));
  const candidates = (asking.length > 0 ? asking : items).map((item) => textAt(item, "name"));
  return names.find((each) => candidates.includes(each)) ?? candidates[0];
}

/** Where some templates ask for the export and others do not, only pods of those write. */
function asks(template: unknown): boolean {
  const annotations = fieldAt(template, "metadata.annotations");
  return isFields(annotations) && Object.hasOwn(annotations, ANNOTATIONS.export);
}

function indexOf({ metadata }: KubeObject, key: string): string {
  return metadata?.labels?.[key] ?? metadata?.annotations?.[key] ?? "0";
}

/** Every object that a path with `*` leads to. */
function holdersAt(value: unknown, [step, ...rest]: readonly string[]): readonly unknown[] {
  if (step === undefined) return [value];
  const next =
    step !== "*"
      ? [fieldAt(value, step)]
      : Array.isArray(value)
        ? value
        : isFields(value)
          ? Object.values(value)
          : [];
  return next.flatMap((each) => (each === undefined ? [] : holdersAt(each, rest)));
}

/** The fields by which the kinds say how many they want. */
const COUNTS = ["replicas", "completions", "parallelism"];

function countIn(holder: unknown): number {
  const count = COUNTS.map((field) => fieldAt(holder, field)).find(
    (each) => typeof each === "number",
  );
  return typeof count === "number" ? count : 1;
}
