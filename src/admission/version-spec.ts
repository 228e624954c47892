import { isTag, parseImageRef } from "../api/image-ref.ts";
import {
  STORAGE_TYPES,
  modelVersionSpecSchema,
  type ModelVersionSpec,
} from "../api/modelversion.ts";
import { isDnsSubdomain } from "../api/names.ts";
import { cleanMountPath } from "../api/path.ts";
import type { Cause } from "../api/review.ts";
import { schemaFaults } from "../api/schema-faults.ts";
import { storageOf, storageTypes } from "../storage/bound.ts";
import { resourceFaults } from "../inject/resource-faults.ts";
import { notAllowed } from "../storage/allow-list.ts";
import type { StorageLimits } from "../storage/provider.ts";
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
  const faults = schemaFaults(modelVersionSpecSchema, spec);
  const causes = faults.map(({ field, message }) => ({
    field: field === "" ? path : `${path}.${field}`,
    message,
  }));
  if (typeof spec !== "object" || spec === null || Array.isArray(spec)) return causes;
  const { imageRepo, imageTag, storage, builder } = spec as Partial<ModelVersionSpec>;
  const fits = (part: keyof ModelVersionSpec): boolean =>
    !faults.some(({ field }) => field === part || field.startsWith(`${part}.`));
  return [
    ...causes.filter(({ field }) => field !== `${path}.storage`),
    ...(imageRepo !== undefined && fits("imageRepo") ? validateImageRepo(imageRepo, path) : []),
    ...(imageTag !== undefined && fits("imageTag") ? validateImageTag(imageTag, path) : []),
    ...validateStorageTypes(storage, `${path}.storage`),
    ...(fits("storage") ? validateStorage(storage, `${path}.storage`, limits) : []),
    ...(fits("builder") ? validateBuilder(builder, `${path}.builder`, limits) : []),
  ];
}

function validateImageRepo(repo: string, path: string): readonly Cause[] {
  const field = `${path}.imageRepo`;
  const ref = parseImageRef(repo);
  if (ref === undefined) {
    const message = `${JSON.stringify(repo)} is not a repository: lower case registry/path, such as registry.example/team/model`;
    return [{ field, message }];
  }
  if (ref.tag !== undefined) {
    return [{ field, message: `${JSON.stringify(repo)} has a tag; put it into imageTag` }];
  }
  if (ref.digest === undefined) return [];
  return [{ field, message: `${JSON.stringify(repo)} has a digest; only a build knows it` }];
}

function validateImageTag(tag: string, path: string): readonly Cause[] {
  if (isTag(tag)) return [];
  const message = `${JSON.stringify(tag)} is not a tag: at most 128 letters, digits, "_", "." and "-", not beginning with "." or "-"`;
  return [{ field: `${path}.imageTag`, message }];
}

function validateStorageTypes(
  storage: ModelVersionSpec["storage"] | undefined,
  field: string,
): readonly Cause[] {
  const types = storageTypes(storage);
  if (types.length === 1) return [];
  const found = types.length === 0 ? "none" : types.join(" and ");
  const message = `exactly one storage type is allowed, found ${found}; allowed: ${STORAGE_TYPES.join(", ")}`;
  return [{ field, message }];
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
  const message = `${JSON.stringify(mountPath)} must be an absolute path without ".." and ":", and not /`;
  return [...causes, { field: `${field}.${bound.type}.mountPath`, message }];
}

function validateBuilder(
  builder: ModelVersionSpec["builder"],
  field: string,
  { baseImages }: VersionLimits,
): readonly Cause[] {
  const { baseImage, pushSecret, resources } = builder ?? {};
  const causes: Cause[] = [];
  if (baseImage !== undefined) {
    const message = `${JSON.stringify(baseImage)} is not an image reference`;
    causes.push(
      ...(parseImageRef(baseImage) === undefined
        ? [{ field: `${field}.baseImage`, message }]
        : notAllowed(baseImage, baseImages, `${field}.baseImage`, "build.allowedBaseImages")),
    );
  }
  if (pushSecret !== undefined && !isDnsSubdomain(pushSecret.name)) {
    const message = `${JSON.stringify(pushSecret.name)} is not the name of a Secret`;
    causes.push({ field: `${field}.pushSecret.name`, message });
  }
  for (const fault of resourceFaults(resources ?? {})) {
    causes.push({ field: `${field}.resources.${fault.field}`, message: fault.message });
  }
  return causes;
}
