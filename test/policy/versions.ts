import { LABELS, VERSION_ANNOTATIONS } from "../../src/api/annotations.ts";
import { IMMUTABLE } from "../../src/api/modelversion.ts";
import type { Rule } from "../../src/api/rules.ts";
import { NAMESPACE, policyCase, type Manifest, type PolicyCase } from "./policy-case.ts";

const LOCAL = { path: "/models/digits", nodeName: "node-1" };
const NFS = { server: "nfs.test", path: "/digits" };
const EFS = { volumeHandle: "fs-1::" };
const CLAIM = { claimName: "models" };
const TYPES = "allowed: localStorage, nfs, AWSEfs, persistentVolumeClaim";

const SPEC = {
  modelName: "digits",
  imageRepo: "registry.test/models/digits",
  storage: { persistentVolumeClaim: CLAIM },
};

/** A minimal valid ModelVersion with another spec or other metadata. */
function versionManifest(spec: object = {}, metadata: object = {}): Manifest {
  return {
    apiVersion: "model.kubedl.io/v1alpha1",
    kind: "ModelVersion",
    metadata: { name: "digits-v1", namespace: NAMESPACE, ...metadata },
    spec: { ...SPEC, ...spec },
  };
}

type Row = readonly [
  rule: Rule,
  has: string,
  spec: object,
  fault?: string | undefined,
  bare?: string | null | undefined,
  more?: Partial<PolicyCase>,
];

const stored = (storage: object): object => ({ storage });
const local = (change: object): object => stored({ localStorage: { ...LOCAL, ...change } });
const nfs = (change: object): object => stored({ nfs: { ...NFS, ...change } });
const efs = (change: object): object => stored({ AWSEfs: { ...EFS, ...change } });
const claim = (change: object): object =>
  stored({ persistentVolumeClaim: { ...CLAIM, ...change } });
const resources = (change: object): object => ({ builder: { resources: change } });

const NAME =
  'must be lower case letters, digits and "-", beginning and ending with a letter or digit';
const REPO = "is not a repository: lower case registry/path, such as registry.example/team/model";
const TAG =
  'is not a tag: at most 128 letters, digits, "_", "." and "-", not beginning with "." or "-"';
const PATH = 'must be an absolute path below / without ".."';
const MOUNT = 'must be an absolute path without ".." and ":", and not /';
const HANDLE = "must be [FileSystemId]:[Subpath]:[AccessPointId], such as fs-0123::fsap-4567";
const SUB_PATH = 'must be a relative path without ".."';
const PREFIXES = "allowed are directories below /models, /data/shared";
const REGISTRIES =
  "the administrator allows this namespace registry.test, docker.io/modelhub (build.allowedRegistries)";
const QUANTITY = "must be a quantity, such as 100m or 64Mi";
const QUANTITIES = `Invalid value: every value ${QUANTITY}`;
const DIGEST = `sha256:${"0".repeat(64)}`;
const long = (length: number): string => "x".repeat(length);
const tooLong = (length: number): string => `Too long: may not be more than ${length} bytes`;

const ROWS: readonly Row[] = [
  ["Schema", "nothing but what it needs", {}],
  ["Schema", "a free text as createdBy", { createdBy: "Grace Hopper <grace@example.com>" }],
  ["Schema", "fields that only KubeDL's users write", { imageTag: "v0.1", createdBy: "user1" }],
  ["Schema", "kaniko as its engine", { builder: { engine: "kaniko" } }],
  ["Schema", "an empty builder", { builder: {} }],
  [
    "Schema",
    "no modelName",
    { modelName: undefined },
    "spec.modelName: is required",
    "spec.modelName: Required value",
  ],
  [
    "Schema",
    "no imageRepo",
    { imageRepo: undefined },
    "spec.imageRepo: is required",
    "spec.imageRepo: Required value",
  ],
  [
    "Schema",
    "an empty modelName",
    { modelName: "" },
    "spec.modelName: must not be empty",
    'spec.modelName: Invalid value: "": spec.modelName in body should be at least 1 chars long',
  ],
  [
    "Schema",
    "an empty imageRepo",
    { imageRepo: "" },
    "spec.imageRepo: must not be empty",
    'spec.imageRepo: Invalid value: "": spec.imageRepo in body should be at least 1 chars long',
  ],
  [
    "Schema",
    "an empty imageTag",
    { imageTag: "" },
    "spec.imageTag: must not be empty",
    'spec.imageTag: Invalid value: "": spec.imageTag in body should be at least 1 chars long',
  ],
  [
    "Schema",
    "a number as modelName",
    { modelName: 1 },
    "spec.modelName: 1 must be a string",
    'spec.modelName: Invalid value: "integer": spec.modelName in body must be of type string: "integer"',
  ],
  [
    "Schema",
    "a list as createdBy",
    { createdBy: [] },
    "spec.createdBy: a list must be a string",
    'spec.createdBy: Invalid value: "array": spec.createdBy in body must be of type string: "array"',
  ],
  [
    "Schema",
    "a createdBy of 1,025 characters",
    { createdBy: long(1025) },
    "spec.createdBy: has 1025 characters; at most 1024 are allowed",
    `spec.createdBy: ${tooLong(1024)}`,
  ],
  [
    "Schema",
    "a repository of 256 characters",
    { imageRepo: long(256) },
    "spec.imageRepo: has 256 characters; at most 255 are allowed",
    `spec.imageRepo: ${tooLong(255)}`,
  ],
  [
    "OneStorage",
    "a list as storage",
    { storage: [] },
    `spec.storage: exactly one storage type is allowed, found none; ${TYPES}`,
    'spec.storage: Invalid value: "array": spec.storage in body must be of type object: "array"',
  ],
  [
    "Schema",
    "a text as its storage",
    stored({ nfs: "nfs.test:/digits" }),
    'spec.storage.nfs: "nfs.test:/digits" must be an object',
    'spec.storage.nfs: Invalid value: "string": spec.storage.nfs in body must be of type object: "string"',
  ],
  [
    "Schema",
    "local storage without a node",
    local({ nodeName: undefined }),
    "spec.storage.localStorage.nodeName: is required",
    "spec.storage.localStorage.nodeName: Required value",
  ],
  [
    "Schema",
    "local storage without a path",
    local({ path: undefined }),
    "spec.storage.localStorage.path: is required",
    "spec.storage.localStorage.path: Required value",
  ],
  [
    "Schema",
    "NFS without a server",
    nfs({ server: undefined }),
    "spec.storage.nfs.server: is required",
    "spec.storage.nfs.server: Required value",
  ],
  [
    "Schema",
    "EFS without a handle",
    efs({ volumeHandle: undefined }),
    "spec.storage.AWSEfs.volumeHandle: is required",
    "spec.storage.AWSEfs.volumeHandle: Required value",
  ],
  [
    "Schema",
    "a claim without a name",
    claim({ claimName: undefined }),
    "spec.storage.persistentVolumeClaim.claimName: is required",
    "spec.storage.persistentVolumeClaim.claimName: Required value",
  ],
  [
    "Schema",
    "an engine that there is not",
    { builder: { engine: "docker" } },
    'spec.builder.engine: "docker" is not allowed; allowed: kaniko',
    'spec.builder.engine: Unsupported value: "docker": supported values: "kaniko"',
  ],
  [
    "Schema",
    "an engine that is misspelt",
    { builder: { engine: "kanico" } },
    'spec.builder.engine: "kanico" is not allowed; allowed: kaniko; did you mean kaniko?',
    'spec.builder.engine: Unsupported value: "kanico": supported values: "kaniko"',
  ],
  [
    "Schema",
    "a push Secret without a name",
    { builder: { pushSecret: {} } },
    "spec.builder.pushSecret.name: is required",
    "spec.builder.pushSecret.name: Required value",
  ],

  ["ModelName", "a name of 52 characters", { modelName: "m".repeat(52) }],
  ["ModelName", "a name of one digit", { modelName: "7" }],
  [
    "ModelName",
    "a name with capitals",
    { modelName: "Digits" },
    `spec.modelName: "Digits" ${NAME}`,
  ],
  ["ModelName", "a name with a slash", { modelName: "a/b" }, `spec.modelName: "a/b" ${NAME}`],
  ["ModelName", "a name with a dot", { modelName: "a.b" }, `spec.modelName: "a.b" ${NAME}`],
  [
    "ModelName",
    "a name that ends with a dash",
    { modelName: "digits-" },
    `spec.modelName: "digits-" ${NAME}`,
  ],
  [
    "ModelName",
    "a name in another script",
    { modelName: "ziffern-ß" },
    `spec.modelName: "ziffern-ß" ${NAME}`,
  ],
  [
    "Schema",
    "a name of 53 characters",
    { modelName: "m".repeat(53) },
    "spec.modelName: has 53 characters; at most 52 are allowed",
    `spec.modelName: ${tooLong(52)}`,
  ],

  ["ImageRepo", "a repository of Docker Hub", { imageRepo: "modelhub/resnet" }],
  [
    "ImageRepo",
    "a registry with a port",
    { imageRepo: "registry.test:5000/digits" },
    undefined,
    undefined,
    { limits: { registries: { "*": ["*"] } } },
  ],
  [
    "ImageRepo",
    "a registry by its address",
    { imageRepo: "[2001:db8::1]:5000/digits" },
    undefined,
    undefined,
    { limits: { registries: { "*": ["*"] } } },
  ],
  [
    "ImageRepo",
    "dots and underscores in its repository",
    { imageRepo: "registry.test/a.b/c__d/e-f" },
  ],
  [
    "ImageRepo",
    "a tag in its repository",
    { imageRepo: "registry.test/digits:v1" },
    'spec.imageRepo: "registry.test/digits:v1" has a tag; put it into imageTag',
  ],
  [
    "ImageRepo",
    "a digest in its repository",
    { imageRepo: `registry.test/digits@${DIGEST}` },
    `spec.imageRepo: "registry.test/digits@${DIGEST}" has a digest; only a build knows it`,
  ],
  [
    "ImageRepo",
    "capitals in its repository",
    { imageRepo: "registry.test/Digits" },
    `spec.imageRepo: "registry.test/Digits" ${REPO}`,
  ],
  [
    "ImageRepo",
    "capitals in its registry",
    { imageRepo: "Registry.test/digits" },
    `spec.imageRepo: "Registry.test/digits" ${REPO}`,
  ],
  [
    "ImageRepo",
    "a URL for a repository",
    { imageRepo: "https://registry.test/digits" },
    `spec.imageRepo: "https://registry.test/digits" ${REPO}`,
  ],
  [
    "ImageRepo",
    "a slash at its repository's end",
    { imageRepo: "registry.test/digits/" },
    `spec.imageRepo: "registry.test/digits/" ${REPO}`,
  ],
  [
    "ImageRepo",
    "a space in its repository",
    { imageRepo: "registry.test/my digits" },
    `spec.imageRepo: "registry.test/my digits" ${REPO}`,
  ],
  [
    "ImageRepo",
    "a repository that climbs",
    { imageRepo: "registry.test/../digits" },
    `spec.imageRepo: "registry.test/../digits" ${REPO}`,
  ],

  ["ImageTag", "a tag", { imageTag: "v0.1" }],
  ["ImageTag", "a tag of 128 characters", { imageTag: "t".repeat(128) }],
  ["ImageTag", "a tag with capitals and an underscore", { imageTag: "_V1-rc.2" }],
  ["ImageTag", "a slash in its tag", { imageTag: "v/1" }, `spec.imageTag: "v/1" ${TAG}`],
  ["ImageTag", "a tag that begins with a dot", { imageTag: ".v1" }, `spec.imageTag: ".v1" ${TAG}`],
  ["ImageTag", "a tag that begins with a dash", { imageTag: "-v1" }, `spec.imageTag: "-v1" ${TAG}`],
  ["ImageTag", "a colon in its tag", { imageTag: "v1:2" }, `spec.imageTag: "v1:2" ${TAG}`],
  [
    "Schema",
    "a tag of 129 characters",
    { imageTag: "t".repeat(129) },
    "spec.imageTag: has 129 characters; at most 128 are allowed",
    `spec.imageTag: ${tooLong(128)}`,
  ],

  ["RegistryAllowed", "a registry that is allowed", { imageRepo: "registry.test/any/where" }],
  [
    "RegistryAllowed",
    "the port of HTTPS beside a registry that is allowed",
    { imageRepo: "registry.test:443/digits" },
  ],
  [
    "RegistryAllowed",
    "a repository below one that is allowed",
    { imageRepo: "index.docker.io/modelhub/resnet" },
  ],
  [
    "RegistryAllowed",
    "a registry that is not allowed",
    { imageRepo: "other.test/digits" },
    `spec.imageRepo: "other.test/digits" is not allowed: ${REGISTRIES}`,
    null,
  ],
  [
    "RegistryAllowed",
    "a port that is not allowed",
    { imageRepo: "registry.test:5000/digits" },
    `spec.imageRepo: "registry.test:5000/digits" is not allowed: ${REGISTRIES}`,
    null,
  ],
  [
    "RegistryAllowed",
    "a repository beside one that is allowed",
    { imageRepo: "modelhub2/resnet" },
    `spec.imageRepo: "modelhub2/resnet" is not allowed: ${REGISTRIES}`,
    null,
  ],
  [
    "RegistryAllowed",
    "a registry where none is allowed",
    {},
    'spec.imageRepo: "registry.test/models/digits" is not allowed: the administrator allows this namespace none (build.allowedRegistries)',
    null,
    { limits: { registries: { "*": ["*"], [NAMESPACE]: [] } } },
  ],

  ["OneStorage", "a claim", claim({})],
  ["OneStorage", "a directory of a node", local({})],
  ["OneStorage", "NFS", nfs({})],
  ["OneStorage", "EFS", efs({})],
  [
    "OneStorage",
    "no storage",
    { storage: undefined },
    `spec.storage: exactly one storage type is allowed, found none; ${TYPES}`,
    "spec.storage: Required value",
  ],
  [
    "OneStorage",
    "storage of no type",
    { storage: {} },
    `spec.storage: exactly one storage type is allowed, found none; ${TYPES}`,
    `spec.storage: Invalid value: exactly one storage type is allowed, found none; ${TYPES}`,
  ],
  [
    "OneStorage",
    "two storages",
    stored({ localStorage: LOCAL, nfs: NFS }),
    `spec.storage: exactly one storage type is allowed, found localStorage and nfs; ${TYPES}`,
    `spec.storage: Invalid value: exactly one storage type is allowed, found localStorage and nfs; ${TYPES}`,
  ],
  [
    "OneStorage",
    "four storages",
    stored({ localStorage: LOCAL, nfs: NFS, AWSEfs: EFS, persistentVolumeClaim: CLAIM }),
    `spec.storage: exactly one storage type is allowed, found localStorage and nfs and AWSEfs and persistentVolumeClaim; ${TYPES}`,
    `spec.storage: Invalid value: exactly one storage type is allowed, found localStorage and nfs and AWSEfs and persistentVolumeClaim; ${TYPES}`,
  ],

  ["LocalPath", "an allowed prefix itself", local({ path: "/models" })],
  ["LocalPath", "doubled slashes and dots in its path", local({ path: "/models//./a/" })],
  ["LocalPath", "two dots inside of a name", local({ path: "/models/a..b" })],
  [
    "LocalPath",
    "a relative path",
    local({ path: "models" }),
    `spec.storage.localStorage.path: "models" ${PATH}`,
  ],
  [
    "LocalPath",
    "a path that climbs",
    local({ path: "/models/../etc" }),
    `spec.storage.localStorage.path: "/models/../etc" ${PATH}`,
  ],
  [
    "LocalPath",
    "a path that climbs at its end",
    local({ path: "/models/a/.." }),
    `spec.storage.localStorage.path: "/models/a/.." ${PATH}`,
  ],
  [
    "LocalPath",
    "the root of the node",
    local({ path: "/" }),
    `spec.storage.localStorage.path: "/" ${PATH}`,
  ],
  [
    "LocalPath",
    "the root, written otherwise",
    local({ path: "/.//" }),
    `spec.storage.localStorage.path: "/.//" ${PATH}`,
  ],
  ["LocalPathAllowed", "a path below the second prefix", local({ path: "/data/shared/a" })],
  [
    "LocalPathAllowed",
    "a path of the system",
    local({ path: "/etc/kubernetes" }),
    `spec.storage.localStorage.path: "/etc/kubernetes" is not allowed: ${PREFIXES}`,
    null,
  ],
  [
    "LocalPathAllowed",
    "a path that only begins like a prefix",
    local({ path: "/modelsecret" }),
    `spec.storage.localStorage.path: "/modelsecret" is not allowed: ${PREFIXES}`,
    null,
  ],
  [
    "LocalPathAllowed",
    "the directory above a prefix",
    local({ path: "/data" }),
    `spec.storage.localStorage.path: "/data" is not allowed: ${PREFIXES}`,
    null,
  ],
  [
    "LocalPathAllowed",
    "a path where none is allowed",
    local({}),
    'spec.storage.localStorage.path: "/models/digits" is not allowed: the administrator allows this namespace no path on a node (localStorage.allowedPrefixes)',
    null,
    { limits: { localPrefixes: {} } },
  ],
  ["LocalNode", "a node with dots", local({ nodeName: "ip-10-0-0-1.eu.internal" })],
  [
    "LocalNode",
    "a node with capitals",
    local({ nodeName: "Node-1" }),
    'spec.storage.localStorage.nodeName: "Node-1" is not the name of a node (RFC 1123 subdomain)',
  ],
  [
    "LocalNode",
    "a node with a slash",
    local({ nodeName: "a/b" }),
    'spec.storage.localStorage.nodeName: "a/b" is not the name of a node (RFC 1123 subdomain)',
  ],

  ["NfsServer", "a server with capitals", nfs({ server: "NFS.test" })],
  [
    "NfsServer",
    "a server with a path",
    nfs({ server: "nfs.test/digits" }),
    'spec.storage.nfs.server: "nfs.test/digits" must be a host name or an address',
  ],
  [
    "NfsServer",
    "a server with a space",
    nfs({ server: "nfs test" }),
    'spec.storage.nfs.server: "nfs test" must be a host name or an address',
  ],
  ["NfsServerAllowed", "a server that is allowed", nfs({})],
  [
    "NfsServerAllowed",
    "any server where all are allowed",
    nfs({ server: "10.0.0.1" }),
    undefined,
    undefined,
    { limits: { nfsServers: ["*"] } },
  ],
  [
    "NfsServerAllowed",
    "a server that is not allowed",
    nfs({ server: "evil.test" }),
    'spec.storage.nfs.server: "evil.test" is not allowed: the administrator allows nfs.test (nfs.allowedServers)',
    null,
  ],
  [
    "NfsServerAllowed",
    "a server that only begins like one",
    nfs({ server: "nfs.test.evil" }),
    'spec.storage.nfs.server: "nfs.test.evil" is not allowed: the administrator allows nfs.test (nfs.allowedServers)',
    null,
  ],
  ["NfsPath", "the whole export", nfs({ path: "/" })],
  [
    "NfsPath",
    "a relative export",
    nfs({ path: "digits" }),
    'spec.storage.nfs.path: "digits" must be an absolute path without ".."',
  ],
  [
    "NfsPath",
    "an export that climbs",
    nfs({ path: "/a/../../b" }),
    'spec.storage.nfs.path: "/a/../../b" must be an absolute path without ".."',
  ],

  ["EfsHandle", "a file system alone", efs({ volumeHandle: "fs-1" })],
  ["EfsHandle", "a directory and an access point", efs({ volumeHandle: "fs-1:/a/b:fsap-2" })],
  [
    "EfsHandle",
    "a handle of another kind",
    efs({ volumeHandle: "vol-1" }),
    `spec.storage.AWSEfs.volumeHandle: "vol-1" ${HANDLE}`,
  ],
  [
    "EfsHandle",
    "a handle that climbs",
    efs({ volumeHandle: "fs-1:/a/..:" }),
    `spec.storage.AWSEfs.volumeHandle: "fs-1:/a/..:" ${HANDLE}`,
  ],
  [
    "EfsHandle",
    "a handle of four parts",
    efs({ volumeHandle: "fs-1:a:fsap-1:b" }),
    `spec.storage.AWSEfs.volumeHandle: "fs-1:a:fsap-1:b" ${HANDLE}`,
  ],
  [
    "EfsHandle",
    "an access point that is none",
    efs({ volumeHandle: "fs-1::2" }),
    `spec.storage.AWSEfs.volumeHandle: "fs-1::2" ${HANDLE}`,
  ],
  ["EfsFileSystemAllowed", "a file system that is allowed", efs({ volumeHandle: "fs-1:/a" })],
  [
    "EfsFileSystemAllowed",
    "a file system that is not allowed",
    efs({ volumeHandle: "fs-12::" }),
    'spec.storage.AWSEfs.volumeHandle: "fs-12" is not allowed: the administrator allows fs-1 (AWSEfs.allowedFileSystems)',
    null,
  ],
  [
    "EfsAttributesAllowed",
    "an attribute that is allowed",
    efs({ attributes: { encryptInTransit: "true" } }),
  ],
  [
    "EfsAttributesAllowed",
    "an attribute that leads to another server",
    efs({ attributes: { mounttargetip: "10.0.0.1" } }),
    'spec.storage.AWSEfs.attributes.mounttargetip: "mounttargetip" is not allowed: the administrator allows encryptInTransit (AWSEfs.allowedAttributes)',
    null,
  ],
  [
    "EfsAttributesAllowed",
    "an attribute that leads to another directory",
    efs({ attributes: { path: "/secret" } }),
    'spec.storage.AWSEfs.attributes.path: "path" is not allowed: the administrator allows encryptInTransit (AWSEfs.allowedAttributes)',
    null,
  ],

  ["ClaimName", "a claim with dots", claim({ claimName: "models.team-a" })],
  [
    "ClaimName",
    "a claim of another namespace",
    claim({ claimName: "team-b/models" }),
    'spec.storage.persistentVolumeClaim.claimName: "team-b/models" is not the name of a claim (RFC 1123 subdomain)',
  ],
  [
    "ClaimName",
    "a claim that climbs",
    claim({ claimName: "../models" }),
    'spec.storage.persistentVolumeClaim.claimName: "../models" is not the name of a claim (RFC 1123 subdomain)',
  ],
  ["ClaimSubPath", "a directory of a claim", claim({ subPath: "runs/7" })],
  ["ClaimSubPath", "the root of a claim, written out", claim({ subPath: "" })],
  [
    "ClaimSubPath",
    "an absolute directory of a claim",
    claim({ subPath: "/runs" }),
    `spec.storage.persistentVolumeClaim.subPath: "/runs" ${SUB_PATH}`,
  ],
  [
    "ClaimSubPath",
    "a directory that climbs out of its claim",
    claim({ subPath: "a/../../b" }),
    `spec.storage.persistentVolumeClaim.subPath: "a/../../b" ${SUB_PATH}`,
  ],

  ["MountPath", "a mount path", claim({ mountPath: "/kubedl/models" })],
  [
    "MountPath",
    "a relative mount path",
    claim({ mountPath: "models" }),
    `spec.storage.persistentVolumeClaim.mountPath: "models" ${MOUNT}`,
  ],
  [
    "MountPath",
    "the root as mount path",
    nfs({ mountPath: "/" }),
    `spec.storage.nfs.mountPath: "/" ${MOUNT}`,
  ],
  [
    "MountPath",
    "a mount path that climbs",
    local({ mountPath: "/a/../b" }),
    `spec.storage.localStorage.mountPath: "/a/../b" ${MOUNT}`,
  ],
  [
    "MountPath",
    "a colon in its mount path",
    efs({ mountPath: "/a:b" }),
    `spec.storage.AWSEfs.mountPath: "/a:b" ${MOUNT}`,
  ],

  ["EngineAllowed", "an engine that is allowed", { builder: { engine: "kaniko" } }],
  [
    "EngineAllowed",
    "an engine that is not allowed",
    { builder: { engine: "kaniko" } },
    'spec.builder.engine: "kaniko" is not allowed: the administrator allows none (build.allowedEngines)',
    null,
    { limits: { engines: [] } },
  ],
  [
    "BaseImage",
    "the administrator's base image",
    { builder: { baseImage: "registry.test/busybox:1" } },
  ],
  [
    "BaseImage",
    "capitals in its base image",
    { builder: { baseImage: "registry.test/Busybox" } },
    'spec.builder.baseImage: "registry.test/Busybox" is not an image reference: lower case registry/path:tag',
  ],
  [
    "BaseImage",
    "a space in its base image",
    { builder: { baseImage: "busy box" } },
    'spec.builder.baseImage: "busy box" is not an image reference: lower case registry/path:tag',
  ],
  [
    "BaseImageAllowed",
    "another base image that is allowed",
    { builder: { baseImage: "registry.test/cuda:12" } },
  ],
  [
    "BaseImageAllowed",
    "a base image that is not allowed",
    { builder: { baseImage: "registry.test/evil:1" } },
    'spec.builder.baseImage: "registry.test/evil:1" is not allowed: the administrator allows registry.test/busybox:1, registry.test/cuda:12 (build.allowedBaseImages)',
    null,
  ],
  ["PushSecretName", "a push Secret", { builder: { pushSecret: { name: "push.me" } } }],
  [
    "PushSecretName",
    "a push Secret of another namespace",
    { builder: { pushSecret: { name: "team-b/push" } } },
    'spec.builder.pushSecret.name: "team-b/push" is not the name of a Secret (RFC 1123 subdomain)',
  ],

  [
    "Resources",
    "resources as texts",
    resources({ requests: { cpu: "500m", memory: "1Gi" }, limits: { memory: "2Gi" } }),
  ],
  [
    "Resources",
    "resources as whole numbers",
    resources({ requests: { cpu: 1 }, limits: { cpu: 2 } }),
  ],
  [
    "Resources",
    "a quantity that is none",
    resources({ limits: { memory: "much" } }),
    `spec.builder.resources.limits.memory: "much" ${QUANTITY}`,
    `spec.builder.resources.limits: ${QUANTITIES}`,
  ],
  [
    "Resources",
    "a negative quantity",
    resources({ requests: { cpu: "-1" } }),
    `spec.builder.resources.requests.cpu: "-1" ${QUANTITY}`,
    `spec.builder.resources.requests: ${QUANTITIES}`,
  ],
  [
    "Resources",
    "a request above its limit",
    resources({ requests: { cpu: 2 }, limits: { cpu: "1500m" } }),
    "spec.builder.resources.requests.cpu: 2 must be no more than the limit, 1500m",
    "spec.builder.resources: Invalid value: a request must be no more than the limit of the same resource",
  ],
  [
    "Schema",
    "a list as a quantity",
    resources({ limits: { memory: [] } }),
    `spec.builder.resources.limits.memory: a list ${QUANTITY}`,
    'spec.builder.resources.limits.memory: Invalid value: "array": spec.builder.resources.limits.memory in body must be of type integer,string: "array"',
  ],
  [
    "Schema",
    "resources of nine kinds",
    resources({
      limits: Object.fromEntries(Array.from({ length: 9 }, (_, index) => [`r${index}`, "1"])),
    }),
    "spec.builder.resources.limits: has 9 entries; at most 8 are allowed",
    "spec.builder.resources.limits: Too many: 9: must have at most 8 items",
  ],
  [
    "ResourcesAllowed",
    "as much as is allowed",
    resources({ requests: { cpu: 4 }, limits: { cpu: "4000m", memory: "8Gi" } }),
  ],
  [
    "ResourcesAllowed",
    "a resource without a ceiling",
    resources({ limits: { "ephemeral-storage": "1Ti" } }),
  ],
  [
    "ResourcesAllowed",
    "a limit above the ceiling",
    resources({ limits: { memory: "9Gi" } }),
    'spec.builder.resources.limits.memory: "9Gi" is not allowed: the administrator allows at most 8Gi (build.maxResources)',
    null,
  ],
  [
    "ResourcesAllowed",
    "a request above the ceiling",
    resources({ requests: { cpu: 5 } }),
    "spec.builder.resources.requests.cpu: 5 is not allowed: the administrator allows at most 4 (build.maxResources)",
    null,
  ],
];

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
  ...ROWS.map(([rule, has, spec, fault, bare, more]) =>
    policyCase(versionManifest(spec), { rule, has, fault, bare, ...more }),
  ),
  ...OTHERS,
];
