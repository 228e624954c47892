import { isFields, type Fields } from "../api/fields.ts";
import type { Container, Job, ObjectMeta, Pod, Volume, VolumeMount } from "../api/kube-types.ts";
import { pointerToken } from "../api/review.ts";
import type { TemplatePlace } from "./workloads.ts";

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

/** The Job that a template makes, with the fields that decide whether it can export a model. */
export function jobOf(template: Fields): Job {
  const spec = fieldsIn(template, "spec");
  const { completionMode, completions, parallelism } = spec;
  const { metadata, spec: podSpec } = podOf(fieldsIn(spec, "template"));
  return {
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
