import { ANNOTATIONS, DEFAULT_MOUNT_PATH, parseModels } from "../api/annotations.ts";
import type { ModelBindingSpec } from "../api/modelbinding.ts";
import { isDnsLabel, isDnsSubdomain } from "../api/names.ts";
import { below, cleanMountPath, mountedAt } from "../api/path.ts";
import { show } from "../api/schema-faults.ts";
import { NOT_MOUNT_PATH } from "../api/storage.ts";
import { NOT_ALIAS, NOT_MODEL_NAME, NOT_VERSION_NAME, type Wanted } from "../api/wanted.ts";

/** A model, and where containers are to see it. */
export interface WantedModel {
  readonly wanted: Wanted;
  readonly mountPath: string;
  /** Where it is asked for, such as `metadata.annotations[model.kubedl.io/model-version]`. */
  readonly field: string;
}

/** A ModelBinding that selects the pod, and what it serves. */
export interface BoundServe {
  readonly name: string;
  readonly serve: NonNullable<ModelBindingSpec["serve"]>;
}

type Annotations = Readonly<Record<string, string>>;
type Fault = (key: string, message: string, below?: string) => void;

/** The keys of which one says which model is wanted. */
const NAMING = [ANNOTATIONS.modelVersion, ANNOTATIONS.model, ANNOTATIONS.models] as const;

/** The key by which the annotations name a model; undefined when they name none. */
export function namingKey(given: Annotations): (typeof NAMING)[number] | undefined {
  return NAMING.find((key) => given[key] !== undefined);
}

/** Naming keys besides the first, and what stands beside a key that excludes it or without the one that it needs. */
export function contradictions(given: Annotations): readonly (readonly [string, string])[] {
  const [first, ...others] = NAMING.filter((key) => given[key] !== undefined);
  const found: (readonly [string, string])[] = others.map((key) => [
    key,
    `excludes ${first}: one of them says which model is wanted`,
  ]);
  if (given[ANNOTATIONS.alias] !== undefined && given[ANNOTATIONS.model] === undefined) {
    found.push([ANNOTATIONS.alias, `needs ${ANNOTATIONS.model}`]);
  }
  if (given[ANNOTATIONS.models] !== undefined && given[ANNOTATIONS.mountPath] !== undefined) {
    found.push([ANNOTATIONS.mountPath, `excludes ${ANNOTATIONS.models}, whose entries have paths`]);
  }
  return found;
}

/** The models that the annotations name; `path` is where the annotations are. Empty when they name none, or none that is valid. */
export function readModels(given: Annotations, path: string, fault: Fault): readonly WantedModel[] {
  const key = namingKey(given);
  if (key === undefined) return [];
  if (key === ANNOTATIONS.models) return readList(given[key] ?? "", `${path}[${key}]`, fault);
  const mountPath = readMountPath(given, fault) ?? DEFAULT_MOUNT_PATH;
  const field = `${path}[${key}]`;
  const name = given[key] ?? "";
  if (!isDnsSubdomain(name)) {
    const what = key === ANNOTATIONS.model ? NOT_MODEL_NAME : NOT_VERSION_NAME;
    fault(key, `${show(name)} ${what}`);
  }
  if (key === ANNOTATIONS.modelVersion) {
    return [{ wanted: { modelVersion: name }, mountPath, field }];
  }
  const alias = given[ANNOTATIONS.alias];
  if (alias !== undefined && !isDnsLabel(alias)) {
    fault(ANNOTATIONS.alias, `${show(alias)} ${NOT_ALIAS}`);
  }
  const wanted = { model: name, ...(alias === undefined ? {} : { alias }) };
  return [{ wanted, mountPath, field }];
}

/** The path that the annotations set; undefined when they set none. */
export function readMountPath(given: Annotations, fault: Fault): string | undefined {
  const mountPath = given[ANNOTATIONS.mountPath];
  if (mountPath === undefined) return undefined;
  if (cleanMountPath(mountPath) === undefined) {
    fault(ANNOTATIONS.mountPath, `${show(mountPath)} ${NOT_MOUNT_PATH}`);
  }
  return mountPath;
}

/** Where a binding says what it serves: a field of another object than the pod. */
export function boundField({ name }: BoundServe): string {
  return `ModelBinding ${name}: spec.serve`;
}

/** The model of a binding; `mountPath` is the pod's own word. Undefined for a stored binding that serves nothing. */
export function boundModel(
  bound: BoundServe,
  mountPath: string | undefined,
): WantedModel | undefined {
  const { serve } = bound;
  const { modelVersion, model, alias } = serve;
  const at = mountPath ?? serve.mountPath ?? DEFAULT_MOUNT_PATH;
  const field = boundField(bound);
  if (modelVersion !== undefined) {
    return { wanted: { modelVersion, boundAt: at }, mountPath: at, field: `${field}.modelVersion` };
  }
  return model === undefined
    ? undefined
    : { wanted: { model, alias, boundAt: at }, mountPath: at, field: `${field}.model` };
}

function readList(text: string, field: string, fault: Fault): readonly WantedModel[] {
  const parsed = parseModels(text);
  if (!parsed.ok) {
    for (const each of parsed.faults) fault(ANNOTATIONS.models, each.message, each.field);
    return [];
  }
  const models = parsed.value.map(({ modelVersion, model, alias, mountPath }, index) => ({
    wanted: modelVersion === undefined ? { model: model ?? "", alias } : { modelVersion },
    mountPath,
    field: `${field}[${index}]`,
  }));
  for (const [index, each] of models.entries()) {
    const clash = models.slice(0, index).find((other) => meet(each, other));
    if (clash === undefined) continue;
    const message = `${show(each.mountPath)} meets ${show(clash.mountPath)} of another entry; models can not lie in each other`;
    fault(ANNOTATIONS.models, message, `[${index}].mountPath`);
  }
  return models;
}

/** True when one path is, or lies in, the other: no runtime can mount anything into a model, which is read-only. */
function meet(one: WantedModel, other: WantedModel): boolean {
  const [a, b] = [mountedAt(one.mountPath), mountedAt(other.mountPath)];
  return below(a, b) !== undefined || below(b, a) !== undefined;
}
