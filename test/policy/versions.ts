import { LABELS, VERSION_ANNOTATIONS } from "../../src/api/annotations.ts";
import { IMMUTABLE } from "../../src/api/modelversion.ts";
import { policyCase, type PolicyCase } from "./policy-case.ts";
import { BUILDER_ROWS } from "./version-builder.ts";
import { FIELD_ROWS } from "./version-fields.ts";
import { IMAGE_ROWS } from "./version-image.ts";
import { claim, versionManifest } from "./version-row.ts";
import { STORAGE_ROWS } from "./version-storage.ts";

const JOB_UID = VERSION_ANNOTATIONS.jobUid;
const FORGED = "says which job a version comes from; only modelhook sets it";
const BUILDING = { imageBuildPhase: "ImageBuilding" };

const changed = (has: string, change: object, fault?: string, bare?: string): PolicyCase =>
  policyCase(versionManifest({ createdBy: "me", ...change }), {
    rule: "SpecImmutable",
    has,
    fault,
    bare,
    stored: { ...versionManifest({ createdBy: "me" }), status: BUILDING },
  });

const bareChange = (fields: string): string =>
  `spec: Invalid value: ${fields} can not change: ${IMMUTABLE}`;

/** What is about more than one field: metadata, what is stored, other versions. */
const OTHERS: readonly PolicyCase[] = [
  {
    rule: "Schema",
    has: "no spec",
    manifest: { ...versionManifest(), spec: undefined },
    fault: "spec: is required",
    bare: "spec: Required value: is required",
  },
  {
    rule: "Schema",
    has: "a text as its spec",
    manifest: { ...versionManifest(), spec: "text" },
    fault: 'spec: "text" must be an object',
    bare: 'spec: Invalid value: "string": spec in body must be of type object: "string"',
  },
  {
    rule: "Provenance",
    has: "annotations of others",
    manifest: versionManifest({}, { annotations: { note: "mine", "model.kubedl.io/retry": "1" } }),
  },
  ...Object.entries({
    jobUid: JOB_UID,
    image: VERSION_ANNOTATIONS.trainingImage,
    pod: VERSION_ANNOTATIONS.pod,
  }).map(([what, key]): PolicyCase => ({
    rule: "Provenance",
    has: `a forged annotation (${what})`,
    manifest: versionManifest({}, { annotations: { [key]: "x" } }),
    fault: `metadata.annotations[${key}]: ${FORGED}`,
    bare: null,
  })),
  {
    rule: "Provenance",
    has: "the label of a job that it does not come from",
    manifest: versionManifest({}, { labels: { [LABELS.jobUid]: "x" } }),
    fault: `metadata.labels[${LABELS.jobUid}]: ${FORGED}`,
    bare: null,
  },
  changed("the spec that it had when its build began", {}),
  changed("another createdBy while it is built", { createdBy: "you" }),
  changed(
    "another modelName while it is built",
    { modelName: "other" },
    `spec.modelName: "digits" can not become "other": ${IMMUTABLE}`,
    bareChange("modelName"),
  ),
  changed(
    "another repository while it is built",
    { imageRepo: "registry.test/other" },
    `spec.imageRepo: "registry.test/models/digits" can not become "registry.test/other": ${IMMUTABLE}`,
    bareChange("imageRepo"),
  ),
  changed(
    "a tag that it had not when its build began",
    { imageTag: "v2" },
    `spec.imageTag: can not be set to "v2" any more: ${IMMUTABLE}`,
    bareChange("imageTag"),
  ),
  changed(
    "another storage while it is built",
    claim({ claimName: "other" }),
    `spec.storage: can not change: ${IMMUTABLE}`,
    bareChange("storage"),
  ),
  changed(
    "a builder that it had not when its build began",
    { builder: {} },
    `spec.builder: can not change: ${IMMUTABLE}`,
    bareChange("builder"),
  ),
];

/** Cases of ModelVersions; ImageFree aside, which needs another version. */
export const VERSION_CASES: readonly PolicyCase[] = [
  ...[...FIELD_ROWS, ...IMAGE_ROWS, ...STORAGE_ROWS, ...BUILDER_ROWS].map(
    ([rule, has, spec, fault, bare, more]) =>
      policyCase(versionManifest(spec), { rule, has, fault, bare, ...more }),
  ),
  ...OTHERS,
];
