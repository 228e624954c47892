import { LABELS, VERSION_ANNOTATIONS } from "../api/annotations.ts";
import { isTag, parseImageRef } from "../api/image-ref.ts";
import type { ModelVersion, ModelVersionSpec } from "../api/modelversion.ts";
import { MAX_MODEL_NAME, STORAGE_TYPES } from "../api/modelversion.ts";
import { isDnsLabel, isDnsSubdomain } from "../api/names.ts";
import { cleanMountPath } from "../api/path.ts";
import {
  pointerToken,
  type AdmissionRequest,
  type Cause,
  type PatchOperation,
} from "../api/review.ts";
import { storageOf, storageTypes } from "../storage/bound.ts";
import type { StorageLimits } from "../storage/provider.ts";
import { deny, patch, type Decision } from "./decision.ts";
import { limitsOf, type Policy } from "./policy.ts";

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

/** The part of a spec that an exporting job states too. */
type VersionSpec = Pick<
  ModelVersionSpec,
  "modelName" | "imageRepo" | "imageTag" | "storage" | "builder"
>;

/** Decides on a ModelVersion: denied with all its faults at once, else accepted with what is the webhook's to fill in. */
export function decideModelVersion(request: AdmissionRequest, policy: Policy): Decision {
  const version = request.object as ModelVersion;
  const old = (request.oldObject ?? undefined) as ModelVersion | undefined;
  const causes = [
    ...validateVersionSpec(version.spec, "spec", limitsOf(policy, request.namespace ?? "")),
    ...validateProvenance(version, old, request.userInfo.username, policy),
  ];
  // What was stored before a rule existed must stay open to changes of its labels, finalizers and status.
  const unchanged = old !== undefined && JSON.stringify(old.spec) === JSON.stringify(version.spec);
  const counted = unchanged ? causes.filter(({ field }) => !field.startsWith("spec")) : causes;
  if (counted.length > 0) return deny("InvalidObject", counted);
  const operations = defaults(version, old, request.userInfo.username);
  return patch(operations.length > 0 ? "Defaulted" : "Valid", operations);
}

/** Every fault of a spec; `path` is its JSON path. Holds for ModelVersions and for what a job exports. */
export function validateVersionSpec(
  spec: VersionSpec | undefined,
  path: string,
  limits: StorageLimits,
): readonly Cause[] {
  if (spec === undefined || spec === null || typeof spec !== "object") {
    return [{ field: path, message: "is required" }];
  }
  return [
    ...validateModelName(spec.modelName, `${path}.modelName`),
    ...validateImageRepo(spec.imageRepo, `${path}.imageRepo`),
    ...validateImageTag(spec.imageTag, `${path}.imageTag`),
    ...validateStorage(spec.storage, `${path}.storage`, limits),
    ...validateBuilder(spec.builder, `${path}.builder`),
  ];
}

function validateModelName(name: unknown, field: string): readonly Cause[] {
  if (typeof name === "string" && isDnsLabel(name) && name.length <= MAX_MODEL_NAME) return [];
  const message = `${JSON.stringify(name)} is not a model's name: at most ${MAX_MODEL_NAME} lower case letters, digits and "-", beginning and ending with a letter or digit`;
  return [{ field, message }];
}

function validateImageRepo(repo: unknown, field: string): readonly Cause[] {
  const ref = typeof repo === "string" ? parseImageRef(repo) : undefined;
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

function validateImageTag(tag: unknown, field: string): readonly Cause[] {
  if (tag === undefined || (typeof tag === "string" && isTag(tag))) return [];
  const message = `${JSON.stringify(tag)} is not a tag: at most 128 letters, digits, "_", "." and "-", not beginning with "." or "-"`;
  return [{ field, message }];
}

function validateStorage(
  storage: ModelVersionSpec["storage"] | undefined,
  field: string,
  limits: StorageLimits,
): readonly Cause[] {
  const types = storageTypes(storage);
  const bound = storageOf(storage);
  if (bound === undefined) {
    const found = types.length === 0 ? "none" : types.join(" and ");
    const message = `exactly one storage type is allowed, found ${found}; allowed: ${STORAGE_TYPES.join(", ")}`;
    return [{ field, message }];
  }
  const { mountPath } = bound;
  const badMount = mountPath !== undefined && cleanMountPath(mountPath) === undefined;
  return [
    ...bound.validate(field, limits),
    ...(badMount
      ? [
          {
            field: `${field}.${bound.type}.mountPath`,
            message: `${JSON.stringify(mountPath)} must be an absolute path without ".." and ":", and not /`,
          },
        ]
      : []),
  ];
}

function validateBuilder(builder: ModelVersionSpec["builder"], field: string): readonly Cause[] {
  const { baseImage, pushSecret } = builder ?? {};
  const causes: Cause[] = [];
  if (baseImage !== undefined && parseImageRef(baseImage) === undefined) {
    const message = `${JSON.stringify(baseImage)} is not an image reference`;
    causes.push({ field: `${field}.baseImage`, message });
  }
  if (pushSecret !== undefined && !isDnsSubdomain(pushSecret.name)) {
    const message = `${JSON.stringify(pushSecret.name)} is not the name of a Secret`;
    causes.push({ field: `${field}.pushSecret.name`, message });
  }
  return causes;
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
  const { metadata, spec } = version;
  const createdBy = old === undefined ? username : old.spec.createdBy;
  const requestedBy =
    old === undefined ? username : old.metadata.annotations?.[VERSION_ANNOTATIONS.requestedBy];
  return [
    ...(spec.createdBy === undefined && createdBy !== undefined
      ? [{ op: "add" as const, path: "/spec/createdBy", value: createdBy }]
      : []),
    ...setEntry(metadata, "annotations", VERSION_ANNOTATIONS.requestedBy, requestedBy),
    ...setEntry(metadata, "labels", LABELS.modelName, spec.modelName),
  ];
}

function setEntry(
  metadata: ModelVersion["metadata"],
  map: "annotations" | "labels",
  key: string,
  value: string | undefined,
): readonly PatchOperation[] {
  if (value === undefined || metadata[map]?.[key] === value) return [];
  const path = `/metadata/${map}`;
  return metadata[map] === undefined || metadata[map] === null
    ? [{ op: "add", path, value: { [key]: value } }]
    : [{ op: "add", path: `${path}/${pointerToken(key)}`, value }];
}
