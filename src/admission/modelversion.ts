import { LABELS, VERSION_ANNOTATIONS } from "../api/annotations.ts";
import {
  modelVersionSpecSchema,
  type ModelVersion,
  type ModelVersionSpec,
} from "../api/modelversion.ts";
import {
  pointerToken,
  type AdmissionRequest,
  type Cause,
  type PatchOperation,
} from "../api/review.ts";
import { deny, patch, type Decision } from "./decision.ts";
import { limitsOf, type Policy } from "./policy.ts";
import { validateVersionSpec } from "./version-spec.ts";

/** Annotations that only the controller may set: they say which job a version comes from. */
const PROVENANCE: readonly string[] = [
  VERSION_ANNOTATIONS.jobUid,
  VERSION_ANNOTATIONS.jobKind,
  VERSION_ANNOTATIONS.jobName,
  VERSION_ANNOTATIONS.pod,
  VERSION_ANNOTATIONS.node,
  VERSION_ANNOTATIONS.trainingImage,
  VERSION_ANNOTATIONS.startedAt,
  VERSION_ANNOTATIONS.completedAt,
];

/** Decides on a ModelVersion: denied with all its faults at once, else accepted with what is the webhook's to fill in. */
export function decideModelVersion(request: AdmissionRequest, policy: Policy): Decision {
  const version = request.object as ModelVersion;
  const old = (request.oldObject ?? undefined) as ModelVersion | undefined;
  const causes = [
    ...validateVersionSpec(version.spec, "spec", limitsOf(policy, request.namespace ?? "")),
    ...validateProvenance(version, old, request.userInfo.username, policy),
  ];
  // What was stored before a rule existed must stay open to changes of its labels, finalizers and status.
  const unchanged = old !== undefined && buildPart(old) === buildPart(version);
  const counted = unchanged ? causes.filter(({ field }) => !field.startsWith("spec")) : causes;
  if (counted.length > 0) return deny("InvalidObject", counted);
  const operations = defaults(version, old, request.userInfo.username);
  return patch(operations.length > 0 ? "Defaulted" : "Valid", operations);
}

/** The spec without createdBy, which is no part of what is built and is restored when an update leaves it out. */
function buildPart({ spec }: ModelVersion): string | undefined {
  return spec === undefined ? undefined : JSON.stringify({ ...spec, createdBy: undefined });
}

function validateProvenance(
  version: ModelVersion,
  old: ModelVersion | undefined,
  username: string | undefined,
  policy: Policy,
): readonly Cause[] {
  if (username === policy.controllerUser) return [];
  const before = old?.metadata.annotations ?? {};
  const after = version.metadata.annotations ?? {};
  const forged = PROVENANCE.filter((key) => before[key] !== after[key]).map((key) => ({
    field: `metadata.annotations[${key}]`,
    message: "says which job a version comes from; only modelhook sets it",
  }));
  const jobUidBefore = old?.metadata.labels?.[LABELS.jobUid];
  if (version.metadata.labels?.[LABELS.jobUid] === jobUidBefore) return forged;
  const field = `metadata.labels[${LABELS.jobUid}]`;
  return [
    ...forged,
    { field, message: "says which job a version comes from; only modelhook sets it" },
  ];
}

/** What the webhook fills in: createdBy and the verified user on CREATE, restored on UPDATE, and the model's label. */
function defaults(
  version: ModelVersion,
  old: ModelVersion | undefined,
  username: string | undefined,
): readonly PatchOperation[] {
  const { metadata } = version;
  // Stored objects may have no spec: KubeDL does not require one.
  const spec = version.spec as Partial<ModelVersionSpec> | undefined;
  const oldSpec = old?.spec as Partial<ModelVersionSpec> | undefined;
  const createdBy = old === undefined ? username : oldSpec?.createdBy;
  const requestedBy =
    old === undefined ? username : old.metadata.annotations?.[VERSION_ANNOTATIONS.requestedBy];
  const modelName = modelVersionSpecSchema.shape.modelName.safeParse(spec?.modelName);
  return [
    ...(spec !== undefined && spec.createdBy === undefined && createdBy !== undefined
      ? [{ op: "add" as const, path: "/spec/createdBy", value: createdBy }]
      : []),
    ...setEntry(metadata, "annotations", VERSION_ANNOTATIONS.requestedBy, requestedBy),
    // A name that is no label would make the API server refuse the whole update.
    ...(modelName.success ? setEntry(metadata, "labels", LABELS.modelName, modelName.data) : []),
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
