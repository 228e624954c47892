import { LABELS, VERSION_ANNOTATIONS } from "../api/annotations.ts";
import {
  MAX_CREATED_BY,
  isModelName,
  type ModelVersion,
  type ModelVersionSpec,
} from "../api/modelversion.ts";
import { pointerToken, type PatchOperation } from "../api/review.ts";

/** What the webhook fills in: createdBy and the verified user on CREATE, restored on UPDATE, and the model's label. */
export function versionDefaults(
  version: ModelVersion,
  old: ModelVersion | undefined,
  username: string | undefined,
): readonly PatchOperation[] {
  const { metadata } = version;
  // Stored objects may have no spec: KubeDL does not require one.
  const spec = version.spec as Partial<ModelVersionSpec> | undefined;
  const oldSpec = old?.spec as Partial<ModelVersionSpec> | undefined;
  const createdBy = old === undefined ? username?.slice(0, MAX_CREATED_BY) : oldSpec?.createdBy;
  const requestedBy =
    old === undefined ? username : old.metadata.annotations?.[VERSION_ANNOTATIONS.requestedBy];
  const modelName = spec?.modelName;
  return [
    ...(spec !== undefined && spec.createdBy === undefined && createdBy !== undefined
      ? [{ op: "add" as const, path: "/spec/createdBy", value: createdBy }]
      : []),
    ...setEntry(metadata, "annotations", VERSION_ANNOTATIONS.requestedBy, requestedBy),
    // A name that is no label would make the API server refuse the whole update.
    ...(typeof modelName === "string" && isModelName(modelName)
      ? setEntry(metadata, "labels", LABELS.modelName, modelName)
      : []),
  ];
}

/** Makes the entry what it should be; undefined is no entry. */
function setEntry(
  metadata: ModelVersion["metadata"],
  map: "annotations" | "labels",
  key: string,
  value: string | undefined,
): readonly PatchOperation[] {
  const entries = metadata[map] ?? undefined;
  if (entries?.[key] === value) return [];
  const path = `/metadata/${map}`;
  if (entries === undefined) return [{ op: "add", path, value: { [key]: value } }];
  const entry = `${path}/${pointerToken(key)}`;
  return [value === undefined ? { op: "remove", path: entry } : { op: "add", path: entry, value }];
}
