import type { Policy } from "../admission/policy.ts";
import type { Snapshot } from "../admission/snapshot.ts";
import { LABELS } from "../api/annotations.ts";
import { GROUP, VERSION } from "../api/crd.ts";
import type { KubeObject, Node, ObjectMeta, Pod } from "../api/kube-types.ts";
import type { Model } from "../api/model.ts";
import type { ModelBinding } from "../api/modelbinding.ts";
import type { ModelVersion } from "../api/modelversion.ts";
import { templateKey } from "../jobs/owner.ts";

/** What decisions on pods look at besides the pods, whether a cluster or files told it. */
export interface World {
  readonly policy: Policy;
  readonly versions: readonly ModelVersion[];
  readonly models: readonly Model[];
  readonly bindings: readonly ModelBinding[];
  readonly namespaces: readonly KubeObject[];
  /** Undefined where nobody tells which nodes there are. */
  readonly nodes: readonly Node[] | undefined;
  /** Pods that have a model already. */
  readonly served: readonly Pod[];
}

/** The lists of a world that objects of files go into. */
type Known = "versions" | "models" | "bindings" | "namespaces" | "nodes";

/** The same by the type that objects carry. */
const LISTS: ReadonlyMap<string, Known> = new Map([
  [`${GROUP}/${VERSION} ModelVersion`, "versions"],
  [`${GROUP}/${VERSION} Model`, "models"],
  [`${GROUP}/${VERSION} ModelBinding`, "bindings"],
  ["v1 Namespace", "namespaces"],
  ["v1 Node", "nodes"],
]);

/** When a binding was made that is not made yet: after all others. */
const NOT_YET = "9999-12-31T23:59:59Z";

/** A world of which nothing is known. */
export function emptyWorld(policy: Policy): World {
  return {
    policy,
    versions: [],
    models: [],
    bindings: [],
    namespaces: [],
    nodes: undefined,
    served: [],
  };
}

/** The list that an object belongs to; undefined for one that no decision looks at. */
export function listOf({ apiVersion, kind }: KubeObject): Known | undefined {
  return LISTS.get(`${apiVersion} ${kind}`);
}

/**
 * The world after objects of files were applied to it: what they say counts, but for a status that is known already. Those without
 * a namespace come into the given one.
 */
export function afterApplying(
  world: World,
  objects: readonly KubeObject[],
  namespace: string,
): World {
  const listAfter = <K extends Known>(list: K): World[K] => {
    const applied = objects.filter((object) => listOf(object) === list);
    if (applied.length === 0) return world[list];
    const known = new Map((world[list] ?? []).map((object) => [keyOf(object), object] as const));
    for (const object of applied) {
      const placed = inNamespace(object, isNamespaced(list) ? namespace : undefined);
      known.set(keyOf(placed), merged(known.get(keyOf(placed)), placed));
    }
    return [...known.values()] as unknown as World[K];
  };
  return {
    ...world,
    versions: listAfter("versions"),
    models: listAfter("models"),
    bindings: listAfter("bindings"),
    namespaces: listAfter("namespaces"),
    nodes: listAfter("nodes"),
  };
}

/** What a decision on a pod of the namespace reads. */
export function snapshotIn(world: World, namespace: string, pod: Pod, now: number): Snapshot {
  const { policy, nodes, served } = world;
  const versions = byName(world.versions, namespace);
  const models = byName(world.models, namespace);
  const injectionEnabled = isInjectionEnabled(world, namespace);
  const template = templateKey(namespace, pod);
  return {
    now,
    policy,
    standby: false,
    versions,
    versionNames: Object.keys(versions),
    models,
    modelNames: Object.keys(models),
    imageRivals: [],
    bindings: injectionEnabled ? bindingsIn(world, namespace) : [],
    injectionEnabled,
    siblings: served.filter(
      (each) => template !== undefined && templateKey(namespace, each) === template,
    ),
    nodes,
    missing: {},
  };
}

/** The bindings of a namespace, whether or not they are in effect. */
export function bindingsIn({ bindings }: World, namespace: string): readonly ModelBinding[] {
  return bindings.filter(({ metadata }) => metadata.namespace === namespace);
}

/** Whether the namespace has the label that puts bindings into effect. */
export function isInjectionEnabled({ namespaces }: World, name: string): boolean {
  const found = namespaces.find(({ metadata }) => metadata?.name === name);
  return found?.metadata?.labels?.[LABELS.injection] === "enabled";
}

/** What YAML leaves open, such as the time of an object that nobody has made yet, is null. */
function withoutNulls(metadata: ObjectMeta | null | undefined): ObjectMeta {
  return Object.fromEntries(
    Object.entries(metadata ?? {}).filter(([, value]) => value !== null && value !== undefined),
  );
}

function byName<T extends KubeObject>(
  objects: readonly T[],
  namespace: string,
): Readonly<Record<string, T>> {
  const own = objects.filter(({ metadata }) => metadata?.namespace === namespace);
  return Object.fromEntries(own.map((object) => [object.metadata?.name ?? "", object]));
}

function inNamespace(object: KubeObject, namespace: string | undefined): KubeObject {
  const metadata = withoutNulls(object.metadata);
  const place = namespace === undefined ? {} : { namespace: metadata.namespace || namespace };
  return { ...object, metadata: { ...metadata, ...place } };
}

function isNamespaced(list: Known): boolean {
  return list !== "namespaces" && list !== "nodes";
}

function keyOf({ metadata }: KubeObject): string {
  return `${metadata?.namespace ?? ""}/${metadata?.name ?? ""}`;
}

function merged(
  known: (KubeObject & { readonly status?: unknown }) | undefined,
  applied: KubeObject,
): KubeObject {
  return {
    ...known,
    ...applied,
    ...(known?.status === undefined ? {} : { status: known.status }),
    metadata: {
      creationTimestamp: NOT_YET,
      ...known?.metadata,
      ...applied.metadata,
      labels: { ...known?.metadata?.labels, ...applied.metadata?.labels },
    },
  };
}
