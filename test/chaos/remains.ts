import { setTimeout as sleep } from "node:timers/promises";
import { FINALIZERS } from "../../src/api/annotations.ts";
import type { KubeObject } from "../../src/api/kube-types.ts";
import { listAll } from "../../src/kube/list.ts";
import { resources, type Resource } from "../../src/kube/resources.ts";
import { persist, remove, type World } from "./world.ts";

/** Kinds that the product makes, or puts something on. */
const KINDS: readonly Resource[] = [
  resources.jobs,
  resources.pods,
  resources.persistentvolumeclaims,
  resources.persistentvolumes,
  resources.modelversions,
];

/** A user's deletion of everything ends within that time, pods' grace and a pass of every controller included. */
const CLEAN_MS = 60_000;
const PAUSE_MS = 1000;

/** Objects that carry the finalizer of exports though nothing runs any more, as `Kind/name: why`. */
export async function heldObjects(world: World): Promise<readonly string[]> {
  return (await listKinds(world))
    .filter(({ metadata }) => metadata?.finalizers?.includes(FINALIZERS.export) === true)
    .map((object) => `${wordsFor(object)}: carries ${FINALIZERS.export}`);
}

/**
 * Deletes the jobs and versions that are left, as a user does who is done, and gives what can not go then. A claim waits for pods
 * that use it, so it has to go only now; a volume or claim of ours that is left though its job has gone counts, too. Those of the
 * names that are given are the user's own, and stay.
 */
export async function stuckObjects(
  world: World,
  users: readonly string[] = [],
): Promise<readonly string[]> {
  const { namespace } = world;
  for (const resource of [resources.jobs, resources.modelversions]) {
    for (const { metadata } of await listKind(world, resource)) {
      const ref = { namespace, name: metadata?.name ?? "" };
      await remove(world, resource, ref, { propagationPolicy: "Background" });
    }
  }
  const left = await whatStays(world, ({ metadata }) => !users.includes(metadata?.name ?? ""));
  return left.map((object) => {
    const { deletionTimestamp, finalizers = [] } = object.metadata ?? {};
    const since = deletionTimestamp === undefined ? "is left" : "is stuck in deletion";
    return `${wordsFor(object)}: ${since}${finalizers.length > 0 ? ` (${finalizers.join(", ")})` : ""}`;
  });
}

/** What is still there, of all that should go, when it has had its time. */
export async function whatStays(
  world: World,
  shouldGo: (object: KubeObject) => boolean,
): Promise<readonly KubeObject[]> {
  const deadline = performance.now() + CLEAN_MS;
  for (;;) {
    const left = (await listKinds(world)).filter(shouldGo);
    if (left.length === 0 || performance.now() > deadline) return left;
    await sleep(PAUSE_MS, undefined, { signal: world.signal });
  }
}

/** `Kind/name` of an object, and whose it is. */
export function wordsFor({ kind, metadata }: KubeObject): string {
  const owner = metadata?.ownerReferences?.[0];
  const whose = owner === undefined ? "" : ` of ${owner.kind} ${owner.name}`;
  return `${kind}/${metadata?.name}${whose}`;
}

async function listKinds(world: World): Promise<readonly KubeObject[]> {
  const lists = KINDS.map(async (resource) => listKind(world, resource));
  return (await Promise.all(lists)).flat();
}

async function listKind(
  { api, signal, namespace }: World,
  resource: Resource,
): Promise<readonly KubeObject[]> {
  const where = resource.namespaced ? { namespace } : {};
  const { items } = await persist(`listing ${resource.plural}`, signal, async () =>
    listAll<KubeObject>(api, resource, { ...where, metadataOnly: true, signal }),
  );
  return items;
}
