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
 * that use it, so it has to go only now; a volume or claim of ours that is left though its job has gone counts, too.
 */
export async function stuckObjects(world: World): Promise<readonly string[]> {
  const { namespace } = world.surroundings;
  for (const resource of [resources.jobs, resources.modelversions]) {
    for (const { metadata } of await listKind(world, resource)) {
      const ref = { namespace, name: metadata?.name ?? "" };
      await remove(world, resource, ref, { propagationPolicy: "Background" });
    }
  }
  const deadline = performance.now() + CLEAN_MS;
  let left = await listKinds(world);
  while (left.length > 0 && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    world.signal.throwIfAborted();
    left = await listKinds(world);
  }
  return left.map((object) => {
    const { deletionTimestamp, finalizers = [] } = object.metadata ?? {};
    const since = deletionTimestamp === undefined ? "is left" : "is stuck in deletion";
    return `${wordsFor(object)}: ${since}${finalizers.length > 0 ? ` (${finalizers.join(", ")})` : ""}`;
  });
}

async function listKinds(world: World): Promise<readonly KubeObject[]> {
  const lists = KINDS.map(async (resource) => listKind(world, resource));
  return (await Promise.all(lists)).flat();
}

async function listKind(
  { api, signal, surroundings }: World,
  resource: Resource,
): Promise<readonly KubeObject[]> {
  const where = resource.namespaced ? { namespace: surroundings.namespace } : {};
  const { items } = await persist(`listing ${resource.plural}`, signal, async () =>
    listAll<KubeObject>(api, resource, { ...where, metadataOnly: true, signal }),
  );
  return items;
}

function wordsFor({ kind, metadata }: KubeObject): string {
  const owner = metadata?.ownerReferences?.[0];
  const whose = owner === undefined ? "" : ` of ${owner.kind} ${owner.name}`;
  return `${kind}/${metadata?.name}${whose}`;
}
