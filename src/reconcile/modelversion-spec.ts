import { modelVersionSpecSchema, type ModelVersion } from "../api/modelversion.ts";
import { schemaFaults } from "../api/schema-faults.ts";
import { storedSpec } from "../api/stored-spec.ts";
import { storageOf, storageTypes, type BoundStorage } from "../storage/bound.ts";

/**
 * Why a version can not be built, whatever the administrator allows: each fault with its JSON path. The webhook and the rules of
 * the definition refuse such a version; one that was stored under KubeDL's schema, which requires nothing, is still there.
 */
export function specFaults(version: ModelVersion): readonly string[] {
  const faults = schemaFaults(modelVersionSpecSchema, version.spec)
    .filter(({ field }) => !field.startsWith("storage"))
    .map(({ field, message }) => `${field === "" ? "spec" : `spec.${field}`}: ${message}`);
  return (version.spec as unknown) === undefined ? faults : [...faults, ...storageFaults(version)];
}

/** What keeps the storage of a version from being the one it needs. */
export function storageFaults(version: ModelVersion): readonly string[] {
  const { storage } = storedSpec(version);
  const found = storageTypes(storage);
  const names = found.length === 0 ? "none" : found.join(" and ");
  return [
    ...(found.length === 1
      ? []
      : [`spec.storage: exactly one storage type is needed, found ${names}`]),
    ...schemaFaults(modelVersionSpecSchema.shape.storage, storage ?? {}).map(
      ({ field, message }) => `spec.storage.${field}: ${message}`,
    ),
  ];
}

/** The storage of a version, ready to be asked; undefined while anything keeps it from being the one it needs. */
export function versionStorage(version: ModelVersion): BoundStorage | undefined {
  return storageFaults(version).length > 0 ? undefined : storageOf(storedSpec(version).storage);
}
