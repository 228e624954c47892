import * as fc from "fast-check";
import { ANNOTATIONS, LABELS, PREFIX } from "../../src/api/annotations.ts";
import type { Container, Pod, Volume } from "../../src/api/kube-types.ts";
import { deepFreeze } from "../../src/kube/freeze.ts";
import { makeExport } from "./export.ts";
import { DIGEST } from "./modelversion.ts";

/** Any key of a map or name of an object, `~`, `/` and all of Unicode; but for one that fast-json-patch refuses by itself. */
export const anyKey = fc.string({ unit: "binary" }).filter((key) => key !== "__proto__");

const IMAGE = `registry.example/models/mnist@${DIGEST}`;

/** The very image of a built version, and how a user mounts its model by himself. */
const OWN_VOLUME = { name: "mine", image: { reference: IMAGE } };
const OWN_MOUNT = { name: "mine", mountPath: "/kubedl-model", subPath: "kubedl-model" };

/** Paths at which models and other things are mounted: several names for one place, and such as are none. */
const anyPath = fc.oneof(
  {
    weight: 1,
    arbitrary: fc.constantFrom("/kubedl-model", "/m", "//m/.", "/models/a", "m", "/../m"),
  },
  { weight: 20, arbitrary: fc.constantFrom("/m/x", "/data", "/kubedl-models", "/", "/models") },
  { weight: 3, arbitrary: anyKey },
);

/** Names of containers and volumes: usual ones, those next to ours, and any text. */
const usualName = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom("server", "sidecar", "init", "data", "mine") },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      "kubedl-model-2",
      "kubedl-model-2-x",
      "kubedl-model-image",
      "kubedl-model-loader-2",
      "constructor",
    ),
  },
  { weight: 4, arbitrary: anyKey },
);
/** The same, and now and then one that is reserved. */
const anyName = fc.oneof(
  { weight: 60, arbitrary: usualName },
  {
    weight: 1,
    arbitrary: fc.constantFrom("kubedl-model", "kubedl-no-token", "kubedl-model-loader"),
  },
);

const map = fc.dictionary(anyKey, fc.string(), { noNullPrototype: true });
const quantities = fc.dictionary(
  fc.constantFrom("cpu", "memory", "ephemeral-storage", "example.com/gpu"),
  fc.oneof(fc.constantFrom("1", "100m", "1Gi", "0", "-1", "1e3"), fc.string()),
  { noNullPrototype: true },
);
const resources = fc.record(
  { requests: orNull(quantities), limits: orNull(quantities) },
  { requiredKeys: [] },
);
const volume = fc.oneof(
  fc.constant(OWN_VOLUME),
  fc.record({ name: anyName }),
  fc.record({ name: anyName, emptyDir: fc.constant({}) }),
  fc.record({
    name: anyName,
    image: fc.record(
      { reference: fc.oneof(fc.constantFrom(IMAGE, "registry.example/a:1"), fc.string()) },
      { requiredKeys: [] },
    ),
  }),
);
const mount = fc.oneof(
  { weight: 1, arbitrary: fc.constant(OWN_MOUNT) },
  {
    weight: 30,
    arbitrary: fc.record(
      { name: anyName, mountPath: anyPath, subPath: fc.constantFrom("kubedl-model", "model", "") },
      { requiredKeys: ["name", "mountPath"] },
    ),
  },
);
const variable = fc.record({
  name: fc.oneof(anyKey, fc.constantFrom("KEY", "KUBEDL_MODEL_PATH", "KUBEDL_MODEL_PATHS")),
  value: fc.string(),
});
const container = fc.record(
  {
    name: anyName,
    image: fc.constantFrom("registry.example/server:1", IMAGE),
    command: list(fc.string()),
    env: list(variable),
    volumeMounts: list(mount),
    resources: orNull(resources),
    restartPolicy: fc.constantFrom("Always"),
  },
  { requiredKeys: ["name"] },
);
const spec = fc.record(
  {
    containers: fc.array(container, { minLength: 1, maxLength: 3 }),
    initContainers: list(container),
    volumes: list(volume),
    schedulingGates: list(fc.record({ name: fc.oneof(anyKey, fc.constant("gate")) })),
    imagePullSecrets: list(
      fc.record({ name: fc.oneof(anyKey, fc.constantFrom("pull", "regcred")) }),
    ),
    nodeName: rarely(fc.constant("node-1"), ""),
    nodeSelector: orNull(map),
    resources: orNull(resources),
    os: orNull(fc.record({ name: rarely(fc.constant("windows"), "linux") })),
    tolerations: list(fc.record({ key: anyKey }, { requiredKeys: [] })),
    affinity: fc.constant(null),
  },
  { requiredKeys: ["containers"] },
);
const labels = fc.oneof(
  map,
  fc.constant(null),
  fc.record(
    {
      app: fc.constant("web"),
      [LABELS.served]: fc.constantFrom("true", "false"),
      [LABELS.gated]: fc.constantFrom("true", "false"),
    },
    { requiredKeys: [], noNullPrototype: true },
  ),
);

/** What another webhook may add to a pod. */
export interface Additions {
  readonly containers: readonly Container[];
  readonly early: readonly Container[];
  readonly late: readonly Container[];
  readonly volumes: readonly Volume[];
}

/** Containers, init containers before and after all others, and volumes before all others, with names of their own. */
export const anyAdditions: fc.Arbitrary<Additions> = fc
  .record({ containers: some(container), early: some(container), late: some(container) })
  .map(({ containers, early, late }) => ({
    containers: renamed("added", containers),
    early: renamed("early", early),
    late: renamed("late", late),
    volumes: [OWN_VOLUME, { name: "added" }],
  }));

/** Any pod: lists and maps that are not there, null or empty, hostile names, and gates and Secrets that a test may add again. */
export const anyPod: fc.Arbitrary<Pod> = fc
  .record({
    metadata: fc.record({ name: anyKey, labels, annotations: map }, { requiredKeys: [] }),
    spec,
  })
  .map((pod) => deepFreeze(pod) as unknown as Pod);

/** Names of versions, as `anySnapshot` has them, and of none. */
const version = fc.constantFrom(
  "mnist-v1",
  "mnist-v2",
  "mnist-v3",
  "bert-v1",
  "none",
  "constructor",
);
const model = fc.constantFrom("mnist", "mnist", "bert", "none", "constructor");
const alias = fc.constantFrom("production", "pending", "foreign", "none", "constructor");
const goodPath = fc.constantFrom("/kubedl-model", "/m", "/models/a", "/models/b", "//models/c/");

const entry = fc.oneof(
  fc.record({ modelVersion: version, mountPath: goodPath }),
  fc.record({ model, alias, mountPath: goodPath }, { requiredKeys: ["model", "mountPath"] }),
);
const someModels = fc
  .uniqueArray(entry, { minLength: 1, maxLength: 5, selector: ({ mountPath }) => mountPath })
  .map((entries) => JSON.stringify(entries));

/** One way to ask for models that is right, or none. */
const naming = fc.oneof(
  { weight: 3, arbitrary: present({ [ANNOTATIONS.modelVersion]: version }) },
  {
    weight: 3,
    arbitrary: present({
      [ANNOTATIONS.model]: model,
      [ANNOTATIONS.alias]: fc.option(alias, { nil: undefined }),
    }),
  },
  { weight: 3, arbitrary: present({ [ANNOTATIONS.models]: someModels }) },
  { weight: 1, arbitrary: fc.constant({}) },
);

const shaping = present({
  [ANNOTATIONS.delivery]: fc.constantFrom("auto", "copy", "image-volume", undefined),
  [ANNOTATIONS.containers]: rarely(
    fc.constantFrom("server", "server,sidecar", " init "),
    undefined,
  ),
  [ANNOTATIONS.loaderResources]: fc.constantFrom('{"requests":{"cpu":1}}', "{}", undefined),
  [ANNOTATIONS.inject]: rarely(fc.constant("false"), undefined),
  [ANNOTATIONS.status]: rarely(fc.oneof(fc.string(), fc.json()), undefined),
});

const hostileText = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.json(),
  fc.constantFrom("mnist-v1", "mnist", "/m", "copy", "false", "server", "[]"),
  someModels,
  fc.constant(JSON.stringify(makeExport())),
);
/** Any of our keys, and such as are nearly one, with any text. */
const hostile = fc.dictionary(
  fc.oneof(
    fc.constantFrom(...Object.values(ANNOTATIONS)),
    fc.constantFrom("modle", "mount_path", "prefetch", "", "node").map((name) => PREFIX + name),
  ),
  hostileText,
  { maxKeys: 4, noNullPrototype: true },
);

/** Annotations in our words: right in most cases, anything in the others. */
const anyAsking: fc.Arbitrary<Readonly<Record<string, string>>> = fc.oneof(
  { weight: 16, arbitrary: fc.tuple(naming, shaping).map(([a, b]) => Object.assign({}, a, b)) },
  { weight: 1, arbitrary: fc.tuple(naming, hostile).map(([a, b]) => Object.assign({}, a, b)) },
  { weight: 1, arbitrary: hostile },
);

/** The pod with one container, which mounts the model by itself. */
function mountingItself({ metadata, spec: given }: Pod): Pod {
  const containers = [{ name: "server", volumeMounts: [OWN_MOUNT] }];
  return {
    ...(metadata && { metadata }),
    spec: { ...given, containers, initContainers: [], volumes: [OWN_VOLUME] },
  };
}

/** Any pod that says something in our words, or that only its labels give a model. */
export const anyAskingPod: fc.Arbitrary<Pod> = fc
  .tuple(
    fc.oneof(
      { weight: 9, arbitrary: anyPod },
      { weight: 1, arbitrary: anyPod.map(mountingItself) },
    ),
    anyAsking,
    fc.boolean(),
  )
  .map(([pod, asking, isBound]) => {
    const { annotations, ...metadata } = pod.metadata ?? {};
    const own = isBound ? { ...metadata, labels: { ...metadata.labels, app: "web" } } : metadata;
    return deepFreeze({ ...pod, metadata: { ...own, annotations: { ...annotations, ...asking } } });
  });

function list<T>(item: fc.Arbitrary<T>): fc.Arbitrary<T[] | null> {
  return orNull(fc.array(item, { maxLength: 3 }));
}

function orNull<T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | null> {
  return fc.oneof({ weight: 4, arbitrary: value }, { weight: 1, arbitrary: fc.constant(null) });
}

/** A value in one of ten cases, in the others another. */
function rarely<T, U>(value: fc.Arbitrary<T>, usual: U): fc.Arbitrary<T | U> {
  return fc.oneof({ weight: 9, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: value });
}

/** Annotations, without those that are undefined. */
function present(
  values: Readonly<Record<string, fc.Arbitrary<string | undefined>>>,
): fc.Arbitrary<Record<string, string>> {
  return fc
    .record(values, { noNullPrototype: true })
    .map((all) =>
      Object.fromEntries(
        Object.entries(all).filter((each): each is [string, string] => each[1] !== undefined),
      ),
    );
}

function some<T>(item: fc.Arbitrary<T>): fc.Arbitrary<T[]> {
  return fc.array(item, { maxLength: 2 });
}

function renamed(name: string, containers: readonly object[]): readonly Container[] {
  return containers.map((each, index) => ({ ...each, name: `${name}-${index}` }));
}
