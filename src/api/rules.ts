import type { CauseType } from "./review.ts";

/** One rule that objects of our kinds must keep. */
export interface RuleText {
  /** JSON path of what it looks at; `export` is a pod's or job's annotation, or a ModelBinding's part of that name. */
  readonly field: string;
  /** What holds of an object that keeps it. */
  readonly says: string;
  /** True when the schema or a CEL rule of the CustomResourceDefinition, or another policy in the API server, holds it while no webhook runs. */
  readonly always: boolean;
  /** What Kubernetes calls the fault; `FieldValueInvalid` when absent. */
  readonly type?: CauseType;
  /** What a build does with a version that breaks it all the same; set for the limits of the administrator, and for them only. */
  readonly atBuild?: "refuses" | "lowers";
}

/**
 * The single table of rules at apply time. Faults name their rule, docs/rules.md is made from it, and each has a case that keeps it
 * and one that breaks it in test/policy.
 */
export const RULES = {
  Schema: {
    field: "spec",
    says: "Every field has the type, the length and one of the values that its description allows.",
    always: true,
  },
  // ModelVersion, and what is exported.
  ModelName: {
    field: "spec.modelName",
    says: "A DNS label (RFC 1123): lower case letters, digits and `-`, at most 52 characters.",
    always: true,
  },
  ImageRepo: {
    field: "spec.imageRepo",
    says: "A repository in lower case, `registry/path`, without tag and digest.",
    always: true,
  },
  ImageTag: {
    field: "spec.imageTag",
    says: "At most 128 letters, digits, `_`, `.` and `-`, not beginning with `.` or `-`.",
    always: true,
  },
  RegistryAllowed: {
    field: "spec.imageRepo",
    says: "Lies in a registry that the administrator allows the namespace (`build.allowedRegistries`).",
    always: false,
    type: "FieldValueForbidden",
    atBuild: "refuses",
  },
  ImageFree: {
    field: "spec.imageTag",
    says: "`imageRepo:imageTag` belongs to no other ModelVersion, of any namespace (not asked of what a job exports: its build asks).",
    always: false,
    type: "FieldValueDuplicate",
  },
  OneStorage: {
    field: "spec.storage",
    says: "Exactly one storage type is set.",
    always: true,
  },
  LocalPath: {
    field: "spec.storage.localStorage.path",
    says: "An absolute path other than `/`, without `..`.",
    always: true,
  },
  LocalPathAllowed: {
    field: "spec.storage.localStorage.path",
    says: "Lies in a directory that the administrator allows the namespace (`localStorage.allowedPrefixes`; none by default).",
    always: false,
    type: "FieldValueForbidden",
    atBuild: "refuses",
  },
  LocalNode: {
    field: "spec.storage.localStorage.nodeName",
    says: "The name of a node can be so (RFC 1123 subdomain).",
    always: true,
  },
  NfsServer: {
    field: "spec.storage.nfs.server",
    says: "A host name or an address, without spaces and slashes.",
    always: true,
  },
  NfsServerAllowed: {
    field: "spec.storage.nfs.server",
    says: "One that the administrator allows (`nfs.allowedServers`; none by default).",
    always: false,
    type: "FieldValueForbidden",
    atBuild: "refuses",
  },
  NfsPath: {
    field: "spec.storage.nfs.path",
    says: "An absolute path without `..`.",
    always: true,
  },
  EfsHandle: {
    field: "spec.storage.AWSEfs.volumeHandle",
    says: "`[FileSystemId]:[Subpath]:[AccessPointId]`, beginning with `fs-`, without `..`.",
    always: true,
  },
  EfsFileSystemAllowed: {
    field: "spec.storage.AWSEfs.volumeHandle",
    says: "A file system that the administrator allows (`AWSEfs.allowedFileSystems`; none by default).",
    always: false,
    type: "FieldValueForbidden",
    atBuild: "refuses",
  },
  EfsAttributesAllowed: {
    field: "spec.storage.AWSEfs.attributes",
    says: "Only volume attributes that the administrator allows (`AWSEfs.allowedAttributes`; `encryptInTransit` by default): others lead to other servers and directories.",
    always: false,
    type: "FieldValueForbidden",
    atBuild: "refuses",
  },
  ClaimName: {
    field: "spec.storage.persistentVolumeClaim.claimName",
    says: "The name of a claim can be so (RFC 1123 subdomain).",
    always: true,
  },
  ClaimSubPath: {
    field: "spec.storage.persistentVolumeClaim.subPath",
    says: "A relative path without `..`.",
    always: true,
  },
  MountPath: {
    field: "spec.storage.*.mountPath, spec.serve.mountPath",
    says: "An absolute path other than `/`, without `..` and `:`.",
    always: true,
  },
  EngineAllowed: {
    field: "spec.builder.engine",
    says: "An engine that the administrator allows (`build.allowedEngines`; all by default).",
    always: false,
    type: "FieldValueForbidden",
    atBuild: "refuses",
  },
  BaseImage: {
    field: "spec.builder.baseImage",
    says: "An image reference in lower case.",
    always: true,
  },
  BaseImageAllowed: {
    field: "spec.builder.baseImage",
    says: "One that the administrator allows (`build.baseImage` and `build.allowedBaseImages`).",
    always: false,
    type: "FieldValueForbidden",
    atBuild: "refuses",
  },
  PushSecretName: {
    field: "spec.builder.pushSecret.name",
    says: "The name of a Secret can be so (RFC 1123 subdomain).",
    always: true,
  },
  PushSecretReadable: {
    field: "spec.builder.pushSecret.name",
    says: "Names a Secret that whoever applies it may read (ValidatingAdmissionPolicy; not asked of what a job exports: who makes jobs may mount Secrets).",
    always: true,
    type: "FieldValueForbidden",
  },
  Resources: {
    field: "spec.builder.resources",
    says: "Quantities, none of them negative, and no request above its limit.",
    always: true,
  },
  ResourcesAllowed: {
    field: "spec.builder.resources",
    says: "No request and no limit above the administrator's ceiling (`build.maxResources`; none by default).",
    always: false,
    type: "FieldValueForbidden",
    atBuild: "lowers",
  },
  SpecImmutable: {
    field: "spec",
    says: "Does not change once the build has begun, createdBy aside.",
    always: true,
  },
  Provenance: {
    field: "metadata",
    says: "What says which job a version comes from (annotations and label `job-uid` …) is set by modelhook alone.",
    always: false,
    type: "FieldValueForbidden",
  },
  VersionInUse: {
    field: "metadata.name",
    says: "A version is not deleted while pods that have its image run.",
    always: false,
    type: "FieldValueForbidden",
  },
  // Model.
  KeepLast: {
    field: "spec.retention.keepLast",
    says: "At least 1.",
    always: true,
  },
  AliasName: {
    field: "spec.aliases",
    says: "Every name is a DNS label (RFC 1123), every value the name of a ModelVersion.",
    always: true,
  },
  AliasOfModel: {
    field: "spec.aliases",
    says: "No alias names a version of another model.",
    always: false,
  },
  // ModelBinding.
  Selector: {
    field: "spec.selector",
    says: "Selects by at least one label or expression; In and NotIn have values, Exists and DoesNotExist have none.",
    always: true,
  },
  SelectorLabels: {
    field: "spec.selector",
    says: "Keys and values are such as labels can have.",
    always: false,
  },
  OneDirection: {
    field: "spec",
    says: "Exactly one of `serve` and `export` is set.",
    always: true,
  },
  ServeOne: {
    field: "spec.serve",
    says: "Exactly one of `modelVersion` and `model` is set, and `alias` only beside `model`.",
    always: true,
  },
  ServeNames: {
    field: "spec.serve",
    says: "`modelVersion`, `model` and `alias` are names that such objects can have.",
    always: true,
  },
  ServeContainers: {
    field: "spec.serve.containers",
    says: "Names that containers can have (DNS labels), none of them twice.",
    always: true,
  },
  Writers: {
    field: "export.writers",
    says: "`all` only with storage that several nodes can write to: nfs, AWSEfs, a claim.",
    always: true,
  },
  Clean: {
    field: "export.clean",
    says: "`true` only with storage whose directories are made by the kubelet: localStorage, a claim.",
    always: true,
  },
} as const satisfies Record<string, RuleText>;

/** The name of a rule. */
export type Rule = keyof typeof RULES;
