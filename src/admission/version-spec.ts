import { registryNotAllowed } from "../api/allow-list.ts";
import {
  HAS_DIGEST,
  HAS_TAG,
  NOT_REPOSITORY,
  NOT_TAG,
  isTag,
  parseImageRef,
} from "../api/image-ref.ts";
import { modelVersionSpecSchema, type ModelVersionSpec } from "../api/modelversion.ts";
import { cleanMountPath } from "../api/path.ts";
import type { Cause } from "../api/review.ts";
import { schemaCauses, show } from "../api/schema-faults.ts";
import { NOT_MOUNT_PATH, STORAGE_TYPES } from "../api/storage.ts";
import { storageOf, storageTypes } from "../storage/bound.ts";
import type { StorageLimits } from "../storage/provider.ts";
import { validateBuilder } from "./builder-spec.ts";
import type { VersionLimits } from "./policy.ts";

/**
 * Every fault of what should be the spec of a ModelVersion; `path` is its JSON path. Holds for what a job exports too. Mutating
 * webhooks are called before the API server looks at the schema, so any JSON may come.
 */
export function validateVersionSpec(
  spec: unknown,
  path: string,
  limits: VersionLimits,
): readonly Cause[] {
  const faults = schemaCauses(modelVersionSpecSchema, spec, path);
  if (typeof spec !== "object" || spec === null || Array.isArray(spec)) return faults;
  const { imageRepo, imageTag, storage, builder } = spec as Partial<ModelVersionSpec>;
  /** False for a part whose type or length is wrong already: one fault of it is enough. */
  const fits = (part: string): boolean => isWithout(faults, `${path}.${part}`);
  return [
    // That no storage is there is said together with what would be one.
    ...faults.filter(({ field }) => field !== `${path}.storage`),
    ...(imageRepo !== undefined && fits("imageRepo")
      ? validateImageRepo(imageRepo, `${path}.imageRepo`, limits)
      : []),
    ...(imageTag !== undefined && fits("imageTag") ? validateImageTag(imageTag, path) : []),
    ...validateStorageTypes(storage, `${path}.storage`),
    ...(fits("storage") ? validateStorage(storage, `${path}.storage`, limits) : []),
    ...validateBuilder(rightParts(builder, `${path}.builder`, faults), `${path}.builder`, limits),
  ];
}

/** True when no fault is at the field or below it. */
function isWithout(faults: readonly Cause[], path: string): boolean {
  return !faults.some(({ field }) => field === path || field.startsWith(`${path}.`));
}

/** The parts of an object whose types are right, so that what is wrong with them is said beside the others' faults. */
function rightParts<T extends object>(
  object: T | null | undefined,
  path: string,
  faults: readonly Cause[],
): Partial<T> {
  if (typeof object !== "object" || object === null) return {};
  const right = Object.entries(object).filter(([name]) => isWithout(faults, `${path}.${name}`));
  return Object.fromEntries(right) as Partial<T>;
}

function validateImageRepo(
  repo: string,
  field: string,
  { registries }: VersionLimits,
): readonly Cause[] {
  const ref = parseImageRef(repo);
  const wrong =
    ref === undefined
      ? NOT_REPOSITORY
      : ref.digest !== undefined
        ? HAS_DIGEST
        : ref.tag !== undefined
          ? HAS_TAG
          : undefined;
  if (wrong !== undefined) return [{ rule: "ImageRepo", field, message: `${show(repo)} ${wrong}` }];
  return registryNotAllowed(repo, registries, field);
}

function validateImageTag(tag: string, path: string): readonly Cause[] {
  if (isTag(tag)) return [];
  return [{ rule: "ImageTag", field: `${path}.imageTag`, message: `${show(tag)} ${NOT_TAG}` }];
}

function validateStorageTypes(
  storage: ModelVersionSpec["storage"] | undefined,
  field: string,
): readonly Cause[] {
  const types = storageTypes(storage);
  if (types.length === 1) return [];
  const found = types.length === 0 ? "none" : types.join(" and ");
  const message = `exactly one storage type is allowed, found ${found}; allowed: ${STORAGE_TYPES.join(", ")}`;
  return [{ rule: "OneStorage", field, message }];
}

function validateStorage(
  storage: ModelVersionSpec["storage"] | undefined,
  field: string,
  limits: StorageLimits,
): readonly Cause[] {
  const bound = storageOf(storage);
  if (bound === undefined) return [];
  const causes = bound.validate(field, limits);
  const { mountPath } = bound;
  if (mountPath === undefined || cleanMountPath(mountPath) !== undefined) return causes;
  const message = `${show(mountPath)} ${NOT_MOUNT_PATH}`;
  return [...causes, { rule: "MountPath", field: `${field}.${bound.type}.mountPath`, message }];
}
