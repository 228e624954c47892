import type { Rule } from "../../src/api/rules.ts";
import { NAMESPACE, policyCase, type Manifest, type PolicyCase } from "./policy-case.ts";
import { TYPES } from "./version-row.ts";

const EXPORT = {
  modelName: "digits",
  imageRepo: "registry.test/models/digits",
  storage: { persistentVolumeClaim: { claimName: "models" } },
};
const LOCAL = { localStorage: { path: "/models/digits", nodeName: "node-1" } };
const NFS = { nfs: { server: "nfs.test", path: "/digits" } };
const EFS = { AWSEfs: { volumeHandle: "fs-1::" } };

const SPEC = { selector: { matchLabels: { app: "digits" } }, serve: { modelVersion: "digits-v1" } };

/** A minimal valid ModelBinding with another spec. */
function bindingManifest(spec: object = {}): Manifest {
  return {
    apiVersion: "model.kubedl.io/v1alpha1",
    kind: "ModelBinding",
    metadata: { name: "digits", namespace: NAMESPACE },
    spec: { ...SPEC, ...spec },
  };
}

const selects = (selector: unknown): object => ({ selector });
const expects = (...matchExpressions: readonly object[]): object => selects({ matchExpressions });
const serves = (serve: unknown): object => ({ serve });
const exports = (change: object): object => ({
  serve: undefined,
  export: { ...EXPORT, ...change },
});

const EMPTY = "must name at least one label: an empty selector takes every pod";
const NAME = "is not a name (RFC 1123 subdomain)";
const LABEL = "is not a name (RFC 1123 label)";
const MOUNT = 'must be an absolute path without ".." and ":", and not /';
const WRITER = "which has room for one writer; use nfs, AWSEfs or a ReadWriteMany claim";
const DIRECTORY =
  "where nothing makes the new directory; use localStorage or persistentVolumeClaim";
const VALUES = "In and NotIn need values, Exists and DoesNotExist have none";

type Row = readonly [
  rule: Rule,
  has: string,
  spec: object,
  fault?: string | undefined,
  bare?: string | null | undefined,
];

const ROWS: readonly Row[] = [
  ["Schema", "nothing but what it needs", {}],
  [
    "Schema",
    "all that a delivery can say",
    serves({
      model: "digits",
      alias: "prod",
      mountPath: "/m",
      delivery: "copy",
      containers: ["server"],
    }),
  ],
  [
    "Schema",
    "no selector",
    selects(undefined),
    "spec.selector: is required",
    "spec.selector: Required value",
  ],
  [
    "Schema",
    "a text as its selector",
    selects("app=digits"),
    'spec.selector: "app=digits" must be an object',
    'spec.selector: Invalid value: "string": spec.selector in body must be of type object: "string"',
  ],
  [
    "Schema",
    "a delivery that there is not",
    serves({ modelVersion: "digits-v1", delivery: "link" }),
    'spec.serve.delivery: "link" is not allowed; allowed: auto, copy, image-volume',
    'spec.serve.delivery: Unsupported value: "link": supported values: "auto", "copy", "image-volume"',
  ],
  [
    "Schema",
    "an operator that there is not",
    expects({ key: "app", operator: "Gt", values: ["1"] }),
    'spec.selector.matchExpressions[0].operator: "Gt" is not allowed; allowed: In, NotIn, Exists, DoesNotExist',
    'spec.selector.matchExpressions[0].operator: Unsupported value: "Gt": supported values: "In", "NotIn", "Exists", "DoesNotExist"',
  ],
  [
    "Schema",
    "writers that there are not",
    exports({ writers: "some" }),
    'spec.export.writers: "some" is not allowed; allowed: all',
    'spec.export.writers: Unsupported value: "some": supported values: "all"',
  ],
  [
    "Schema",
    "an empty list of containers",
    serves({ modelVersion: "digits-v1", containers: [] }),
    "spec.serve.containers: must not be empty",
    "spec.serve.containers: Invalid value: 0: spec.serve.containers in body should have at least 1 items",
  ],

  ["Selector", "an expression for a selector", expects({ key: "tier", operator: "Exists" })],
  [
    "Selector",
    "an empty selector",
    selects({}),
    `spec.selector: ${EMPTY}`,
    `spec.selector: Invalid value: ${EMPTY}`,
  ],
  [
    "Selector",
    "a selector of empty parts",
    selects({ matchLabels: {}, matchExpressions: [] }),
    `spec.selector: ${EMPTY}`,
    `spec.selector: Invalid value: ${EMPTY}`,
  ],
  [
    "Selector",
    "In without values",
    expects({ key: "app", operator: "In" }),
    "spec.selector.matchExpressions[0].values: In needs values",
    `spec.selector.matchExpressions[0]: Invalid value: ${VALUES}`,
  ],
  [
    "Selector",
    "Exists with values",
    expects({ key: "app", operator: "Exists", values: ["a"] }),
    "spec.selector.matchExpressions[0].values: Exists has no values",
    `spec.selector.matchExpressions[0]: Invalid value: ${VALUES}`,
  ],
  [
    "SelectorLabels",
    "a key with a prefix",
    selects({ matchLabels: { "app.kubernetes.io/name": "digits" } }),
  ],
  [
    "SelectorLabels",
    "a key with two slashes",
    selects({ matchLabels: { "a/b/c": "digits" } }),
    'spec.selector.matchLabels: "a/b/c" is not the key of a label',
    null,
  ],
  [
    "SelectorLabels",
    "a value with a slash",
    selects({ matchLabels: { app: "a/b" } }),
    'spec.selector.matchLabels: "a/b" is not the value of a label',
    null,
  ],

  ["OneDirection", "an export", exports({})],
  [
    "OneDirection",
    "neither serve nor export",
    serves(undefined),
    "spec: exactly one of serve and export is allowed, found none",
    "spec: Invalid value: exactly one of serve and export is allowed, found none",
  ],
  [
    "OneDirection",
    "both serve and export",
    { export: EXPORT },
    "spec: exactly one of serve and export is allowed, found both",
    "spec: Invalid value: exactly one of serve and export is allowed, found both",
  ],

  ["ServeOne", "a model", serves({ model: "digits" })],
  ["ServeOne", "an alias of a model", serves({ model: "digits", alias: "prod" })],
  [
    "ServeOne",
    "nothing to serve",
    serves({}),
    "spec.serve: exactly one of modelVersion and model is allowed, found none",
    "spec.serve: Invalid value: exactly one of modelVersion and model is allowed, found none",
  ],
  [
    "ServeOne",
    "a version and a model",
    serves({ modelVersion: "digits-v1", model: "digits" }),
    "spec.serve: exactly one of modelVersion and model is allowed, found both",
    "spec.serve: Invalid value: exactly one of modelVersion and model is allowed, found both",
  ],
  [
    "ServeOne",
    "an alias of no model",
    serves({ modelVersion: "digits-v1", alias: "prod" }),
    "spec.serve.alias: alias needs model",
    "spec.serve: Invalid value: alias needs model",
  ],

  ["ServeNames", "a version with dots", serves({ modelVersion: "digits.v1" })],
  [
    "ServeNames",
    "a version with capitals",
    serves({ modelVersion: "Digits" }),
    `spec.serve.modelVersion: "Digits" ${NAME}`,
  ],
  [
    "ServeNames",
    "a model of another namespace",
    serves({ model: "team-b/digits" }),
    `spec.serve.model: "team-b/digits" ${NAME}`,
  ],
  [
    "ServeNames",
    "an alias with a dot",
    serves({ model: "digits", alias: "v1.2" }),
    `spec.serve.alias: "v1.2" ${LABEL}`,
  ],
  ["MountPath", "a mount path", serves({ modelVersion: "digits-v1", mountPath: "/m" })],
  [
    "MountPath",
    "a relative mount path",
    serves({ modelVersion: "digits-v1", mountPath: "m" }),
    `spec.serve.mountPath: "m" ${MOUNT}`,
  ],
  [
    "ServeContainers",
    "two containers",
    serves({ modelVersion: "digits-v1", containers: ["server", "sidecar"] }),
  ],
  [
    "ServeContainers",
    "a container that none can be",
    serves({ modelVersion: "digits-v1", containers: ["Server"] }),
    `spec.serve.containers[0]: "Server" ${LABEL}`,
  ],
  [
    "ServeContainers",
    "a container that is named twice",
    serves({ modelVersion: "digits-v1", containers: ["server", "server"] }),
    'spec.serve.containers[1]: "server" is named twice',
    'spec.serve.containers[1]: Duplicate value: "server"',
  ],

  [
    "OneStorage",
    "an export to two storages",
    exports({ storage: { ...LOCAL, ...NFS } }),
    `spec.export.storage: exactly one storage type is allowed, found localStorage and nfs; ${TYPES}`,
    `spec.export.storage: Invalid value: exactly one storage type is allowed, found localStorage and nfs; ${TYPES}`,
  ],
  [
    "LocalPathAllowed",
    "an export to a path that is not allowed",
    exports({ storage: { localStorage: { path: "/etc", nodeName: "node-1" } } }),
    'spec.export.storage.localStorage.path: "/etc" is not allowed: allowed are directories below /models, /data/shared',
    null,
  ],
  [
    "ModelName",
    "an export with capitals in its name",
    exports({ modelName: "Digits" }),
    'spec.export.modelName: "Digits" must be lower case letters, digits and "-", beginning and ending with a letter or digit',
  ],
  [
    "Schema",
    "an export without a repository",
    exports({ imageRepo: undefined }),
    "spec.export.imageRepo: is required",
    "spec.export.imageRepo: Required value",
  ],
  ["Writers", "several writers to a claim", exports({ writers: "all" })],
  ["Writers", "several writers to NFS", exports({ writers: "all", storage: NFS })],
  [
    "Writers",
    "several writers to a node",
    exports({ writers: "all", storage: LOCAL }),
    `spec.export.writers: "all" is not allowed with localStorage, ${WRITER}`,
    `spec.export: Invalid value: writers: "all" is not allowed with localStorage, ${WRITER}`,
  ],
  ["Clean", "a clean directory of a node", exports({ clean: true, storage: LOCAL })],
  ["Clean", "no clean directory of NFS", exports({ clean: false, storage: NFS })],
  [
    "Clean",
    "a clean directory of NFS",
    exports({ clean: true, storage: NFS }),
    `spec.export.clean: true is not allowed with nfs, ${DIRECTORY}`,
    `spec.export: Invalid value: clean: true is not allowed with nfs and AWSEfs, ${DIRECTORY}`,
  ],
  [
    "Clean",
    "a clean directory of EFS",
    exports({ clean: true, storage: EFS }),
    `spec.export.clean: true is not allowed with AWSEfs, ${DIRECTORY}`,
    `spec.export: Invalid value: clean: true is not allowed with nfs and AWSEfs, ${DIRECTORY}`,
  ],
];

/** Cases of ModelBindings. */
export const BINDING_CASES: readonly PolicyCase[] = ROWS.map(([rule, has, spec, fault, bare]) =>
  policyCase(bindingManifest(spec), { rule, has, fault, bare }),
);
