import { isFields, type Fields } from "../api/fields.ts";
import type { Container, Job, ObjectMeta, Pod, Volume, VolumeMount } from "../api/kube-types.ts";
import { pointerToken } from "../api/review.ts";
import { JOB, type TemplatePlace, type Workload } from "./places.ts";

/** Something that stands in an object. */
export interface Found {
  /** As a user writes it, such as `spec.tasks[0].template`. */
  readonly path: string;
  /** The same as a JSON pointer, such as `/spec/tasks/0/template`. */
  readonly pointer: string;
  readonly value: Fields;
}

/** The templates that an object has at a place. Anything may stand there instead: what is no object is none. */
export function templatesAt(object: unknown, place: TemplatePlace): readonly Found[] {
  return find({ path: "", pointer: "" }, object, place.path.split("."));
}

function find(
  { path, pointer }: Omit<Found, "value">,
  value: unknown,
  steps: readonly string[],
): readonly Found[] {
  const [step, ...rest] = steps;
  if (step === undefined) return isFields(value) ? [{ path, pointer, value }] : [];
  const isList = step === "*" && Array.isArray(value);
  if (!isList && !isFields(value)) return [];
  const keys = step === "*" ? Object.keys(value) : Object.hasOwn(value, step) ? [step] : [];
  return keys.flatMap((key) => {
    const name = isList ? `[${key}]` : path === "" ? key : `.${key}`;
    const place = { path: path + name, pointer: `${pointer}/${pointerToken(key)}` };
    return find(place, (value as Fields)[key], rest);
  });
}

/** A template of pods in a job, or in the template of a Job that the job makes. */
export interface PodTemplate extends Omit<Found, "value"> {
  readonly annotations: { readonly [key: string]: string } | undefined;
  /** False where an annotation needs the metadata made first. */
  readonly hasMetadata: boolean;
  /** The Job between, as its template makes it; absent where the pods are the job's own. */
  readonly job?: Job;
}

/** The templates of the pods of a job, nearest to how they are written. */
export function podTemplatesOf(
  object: unknown,
  { places }: Pick<Workload, "places">,
): readonly PodTemplate[] {
  return places.flatMap((place) =>
    templatesAt(object, place).flatMap((found) => {
      if (place.makes === "pods") return [podTemplate(found)];
      const job = jobOf(found.value, place.completionMode);
      return find(found, found.value, ["spec", "template"]).map((each) => podTemplate(each, job));
    }),
  );
}

function podTemplate({ path, pointer, value }: Found, job?: Job): PodTemplate {
  const { metadata } = value;
  const hasMetadata = isFields(metadata);
  const isAnnotated = hasMetadata && isFields(metadata["annotations"]);
  return {
    path,
    pointer,
    hasMetadata,
    annotations: isAnnotated ? textsIn(metadata, "annotations") : undefined,
    ...(job === undefined ? {} : { job }),
  };
}

/** The pod that a template makes, with the fields that decide whether a model can be given to it; parts of another shape left out. */
export function podOf(template: Fields): Pod {
  const spec = fieldsIn(template, "spec");
  const { nodeName } = spec;
  const os = fieldsIn(spec, "os")["name"];
  return {
    metadata: metadataOf(template),
    spec: {
      containers: listIn(spec, "containers").map(containerOf),
      initContainers: listIn(spec, "initContainers").map(containerOf),
      volumes: listIn(spec, "volumes").map(volumeOf),
      nodeSelector: textsIn(spec, "nodeSelector"),
      ...(typeof nodeName === "string" ? { nodeName } : {}),
      ...(typeof os === "string" ? { os: { name: os } } : {}),
    },
  };
}

/** The Job that a template makes, with the fields that decide whether it can export a model; `mode` is that of one that names none. */
export function jobOf(template: Fields, mode?: string): Job {
  const spec = fieldsIn(template, "spec");
  const { completionMode = mode, completions, parallelism } = spec;
  const { metadata, spec: podSpec } = podOf(fieldsIn(spec, "template"));
  return {
    ...JOB,
    metadata: metadataOf(template),
    spec: {
      template: { ...(metadata && { metadata }), ...(podSpec && { spec: podSpec }) },
      ...(typeof completionMode === "string" ? { completionMode } : {}),
      ...(typeof completions === "number" ? { completions } : {}),
      ...(typeof parallelism === "number" ? { parallelism } : {}),
    },
  };
}

function metadataOf(template: Fields): ObjectMeta {
  const metadata = fieldsIn(template, "metadata");
  return { annotations: textsIn(metadata, "annotations"), labels: textsIn(metadata, "labels") };
}

function containerOf(container: Fields): Container {
  return {
    name: textIn(container, "name"),
    volumeMounts: listIn(container, "volumeMounts").map(mountOf),
  };
}

function mountOf(mount: Fields): VolumeMount {
  const { subPath } = mount;
  return {
    name: textIn(mount, "name"),
    mountPath: textIn(mount, "mountPath"),
    ...(typeof subPath === "string" ? { subPath } : {}),
  };
}

function volumeOf(volume: Fields): Volume {
  const name = textIn(volume, "name");
  const { image } = volume;
  return isFields(image) ? { name, image: { reference: textIn(image, "reference") } } : { name };
}

function fieldsIn(fields: Fields, key: string): Fields {
  const value = fields[key];
  return isFields(value) ? value : {};
}

/** The objects of a list; others become empty ones, so that the index of each stays. */
function listIn(fields: Fields, key: string): readonly Fields[] {
  const value = fields[key];
  return Array.isArray(value) ? value.map((item: unknown) => (isFields(item) ? item : {})) : [];
}

function textIn(fields: Fields, key: string): string {
  const value = fields[key];
  return typeof value === "string" ? value : "";
}

function textsIn(fields: Fields, key: string): { [key: string]: string } {
  const entries = Object.entries(fieldsIn(fields, key));
  return Object.fromEntries(
    entries.filter((entry): entry is [string, string] => typeof entry[1] === "string"),
  );
}
