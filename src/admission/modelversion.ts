import { canonicalImage, parseImageRef } from "../api/image-ref.ts";
import {
  BUILD_FIELDS,
  IMMUTABLE,
  type ModelVersion,
  type ModelVersionSpec,
} from "../api/modelversion.ts";
import { isDnsSubdomain } from "../api/names.ts";
import type { AdmissionRequest, Cause, Warning } from "../api/review.ts";
import { RULES, type RuleText } from "../api/rules.ts";
import { show } from "../api/schema-faults.ts";
import { storageOf } from "../storage/bound.ts";
import { deny, patch, type Decision } from "./decision.ts";
import { limitsOf } from "./policy.ts";
import { unknownAnnotations, validateProvenance } from "./provenance.ts";
import type { References, Snapshot } from "./snapshot.ts";
import { versionDefaults } from "./version-defaults.ts";
import { validateVersionSpec } from "./version-spec.ts";

/** Names what a decision on a ModelVersion reads: who else has its image, and whether its claim and node exist. */
export function versionReferences(request: AdmissionRequest): References {
  const namespace = request.namespace ?? "";
  const { spec } = request.object as { readonly spec?: Partial<ModelVersionSpec> | null };
  // Any JSON may come; what is no spec is denied without looking further.
  if (typeof spec !== "object" || spec === null) return { namespace, versions: [], wanted: [] };
  const image = imageNamed(spec);
  const { claimName } = spec.storage?.persistentVolumeClaim ?? {};
  const { nodeName } = spec.storage?.localStorage ?? {};
  return {
    namespace,
    versions: [],
    wanted: [],
    ...(image === undefined ? {} : { image }),
    ...(isName(claimName) ? { claim: claimName } : {}),
    ...(isName(nodeName) ? { node: nodeName } : {}),
  };
}

/** False for what no object can be called, and the API server can not be asked for. */
function isName(value: unknown): value is string {
  return typeof value === "string" && isDnsSubdomain(value);
}

/** Decides on a ModelVersion: denied with all its faults at once, else accepted with what is the webhook's to fill in. */
export function decideModelVersion(request: AdmissionRequest, snapshot: Snapshot): Decision {
  const { policy } = snapshot;
  const { username } = request.userInfo;
  const version = request.object as ModelVersion;
  const old = (request.oldObject ?? undefined) as ModelVersion | undefined;
  const isOurs = username === policy.controllerUser;
  const causes = [
    ...specCauses(request, version, old, snapshot),
    ...(isOurs ? [] : validateProvenance(version, old)),
  ];
  const forgiven = snapshot.standby ? causes.filter((cause) => atBuild(cause) !== undefined) : [];
  const held = causes.filter((cause) => !forgiven.includes(cause));
  const later = forgiven.map(laterWarning);
  if (held.length > 0) return deny("InvalidObject", held, later);
  const operations = versionDefaults(version, old, username);
  const reason = operations.length > 0 ? "Defaulted" : "Valid";
  // What is stored already has been warned of.
  const missing = isSame(version, old) ? [] : missingWarnings(version, snapshot);
  return patch(reason, operations, [...later, ...missing, ...unknownAnnotations(version, old)]);
}

/**
 * A live KubeDL knows no limits of our administrator, and the jobs that it runs make versions without asking: to deny those would
 * break what worked before we came. Nothing is lost, because a build of ours is held to the same limits.
 */
function laterWarning(cause: Cause): Warning {
  const later =
    atBuild(cause) === "lowers"
      ? "modelhook will build it with no more than that"
      : "modelhook will not build it";
  const message = `${cause.field}: ${cause.message}; accepted while KubeDL runs, but ${later} when KubeDL has gone`;
  return { reason: "KubeDLPresent", message };
}

function atBuild({ rule }: Cause): RuleText["atBuild"] {
  const text: RuleText | undefined = rule === undefined ? undefined : RULES[rule];
  return text?.atBuild;
}

function specCauses(
  request: AdmissionRequest,
  version: ModelVersion,
  old: ModelVersion | undefined,
  snapshot: Snapshot,
): readonly Cause[] {
  // What was stored before a rule existed must stay open to changes of its labels, finalizers and status.
  if (isSame(version, old)) return [];
  if (old?.status?.imageBuildPhase !== undefined) return validateImmutable(version, old);
  const limits = limitsOf(snapshot.policy, request.namespace ?? "");
  return [
    ...validateVersionSpec(version.spec, "spec", limits),
    // The version of a finished job has to exist even when it can not be built: it says why.
    ...(request.userInfo.username === snapshot.policy.controllerUser
      ? []
      : validateImageFree(version, snapshot)),
  ];
}

/** True when nothing of what is built changes; createdBy is no part of that and is restored when an update leaves it out. */
function isSame({ spec }: ModelVersion, old: ModelVersion | undefined): boolean {
  return old !== undefined && buildPart(spec) === buildPart(old.spec);
}

function buildPart(spec: ModelVersionSpec | undefined): string | undefined {
  return spec === undefined ? undefined : JSON.stringify({ ...spec, createdBy: undefined });
}

function validateImmutable(version: ModelVersion, old: ModelVersion): readonly Cause[] {
  const spec = (version.spec ?? {}) as Partial<ModelVersionSpec>;
  const before = (old.spec ?? {}) as Partial<ModelVersionSpec>;
  return BUILD_FIELDS.filter(
    (name) => JSON.stringify(spec[name]) !== JSON.stringify(before[name]),
  ).map((name) => ({
    rule: "SpecImmutable",
    field: `spec.${name}`,
    message: `${change(before[name], spec[name])}: ${IMMUTABLE}`,
  }));
}

function change(before: unknown, after: unknown): string {
  if ([before, after].some((value) => typeof value === "object")) return "can not change";
  if (before === undefined) return `can not be set to ${show(after)} any more`;
  return after === undefined
    ? `${show(before)} can not be removed`
    : `${show(before)} can not become ${show(after)}`;
}

/** An image that another version has, or is going to have, would be overwritten. */
function validateImageFree(
  { metadata, spec }: ModelVersion,
  { imageRivals }: Snapshot,
): readonly Cause[] {
  const owner = imageRivals.find(
    ({ metadata: rival, status }) =>
      rival.uid !== metadata.uid &&
      rival.deletionTimestamp === undefined &&
      status?.imageBuildPhase !== "ImageBuildFailed",
  );
  if (owner === undefined) return [];
  const image = `${spec.imageRepo}:${spec.imageTag}`;
  // Names of other namespaces are nobody's business.
  const whose =
    owner.metadata.namespace === metadata.namespace
      ? `ModelVersion ${owner.metadata.name}`
      : "a ModelVersion of another namespace";
  const message = `${show(image)} belongs to ${whose}; choose another imageTag, or leave it out`;
  return [{ rule: "ImageFree", field: "spec.imageTag", message }];
}

/** The image that a spec names, for the index of images; undefined when the tag is still to be made, or it is none. */
function imageNamed({ imageRepo, imageTag }: Partial<ModelVersionSpec>): string | undefined {
  if (typeof imageRepo !== "string" || typeof imageTag !== "string") return undefined;
  const image = `${imageRepo}:${imageTag}`;
  return parseImageRef(image) === undefined ? undefined : canonicalImage(image);
}

function missingWarnings(
  { metadata, spec }: ModelVersion,
  { missing }: Snapshot,
): readonly Warning[] {
  const type = storageOf(spec.storage)?.type ?? "";
  const { claim, node } = missing;
  return [
    ...(claim === undefined
      ? []
      : [
          {
            reason: "ClaimNotFound" as const,
            message: `spec.storage.${type}.claimName: there is no claim ${show(claim)} in namespace ${metadata.namespace ?? "default"}; the build waits for it (if the name is wrong, delete this version and make it anew)`,
          },
        ]),
    ...(node === undefined
      ? []
      : [
          {
            reason: "NodeNotFound" as const,
            message: `spec.storage.${type}.nodeName: there is no node ${show(node)}; the build waits for it (if the name is wrong, delete this version and make it anew)`,
          },
        ]),
  ];
}
