import { setTimeout as sleep } from "node:timers/promises";
import type { LocalCluster } from "../../deploy/local/local-cluster.ts";
import type { KubeObject } from "../../src/api/kube-types.ts";
import type { ApiServer } from "../../src/kube/client.ts";
import { isAlreadyExists, isNotFound } from "../../src/kube/errors.ts";
import { resourcePath, type ObjectRef, type Resource } from "../../src/kube/resources.ts";

/** What runs act on. */
export interface World {
  readonly cluster: LocalCluster;
  /** As a user; the observer has connections of its own. */
  readonly api: ApiServer;
  /** Of all that a campaign makes. */
  readonly namespace: string;
  /** Ends everything. */
  readonly signal: AbortSignal;
  /** One after the other: what takes the API server or the whole product away. */
  readonly alone: Queue;
}

/** Does actions one after the other, in the order of the calls. */
export type Queue = <T>(action: () => Promise<T>) => Promise<T>;

/** On a busy machine, too, longer than the absences of all that a run may have to wait for, one after the other. */
export const PATIENCE_SECONDS = 480;
const PAUSE_MS = 200;

/** Gives a queue that is empty. */
export function createQueue(): Queue {
  let last: Promise<unknown> = Promise.resolve();
  return async (action) => {
    const turn = last.then(action);
    last = turn.catch(() => {});
    return turn;
  };
}

/** Does something again and again until it succeeds: the API server and the webhook come and go. */
export async function persist<T>(
  what: string,
  signal: AbortSignal,
  action: () => Promise<T>,
): Promise<T> {
  const deadline = performance.now() + PATIENCE_SECONDS * 1000;
  for (;;) {
    try {
      return await action();
    } catch (cause) {
      signal.throwIfAborted();
      if (performance.now() > deadline) throw new Error(`${what}: never succeeded`, { cause });
      await sleep(PAUSE_MS, undefined, { signal });
    }
  }
}

/** Makes an object, as soon as that of its name has gone whose UID is given, and gives its UID. */
export async function create(
  world: Pick<World, "api" | "namespace" | "signal">,
  resource: Resource,
  object: KubeObject,
  uidBefore?: string,
): Promise<string> {
  const { api, signal } = world;
  const { name = "" } = object.metadata ?? {};
  const place = resource.namespaced ? { namespace: world.namespace } : {};
  const path = resourcePath(resource, place);
  return persist(`making ${name}`, signal, async () => {
    try {
      const options = { body: object, signal, timeoutMs: 10_000 };
      const made = await api.request<KubeObject>("POST", path, options);
      return made.metadata?.uid ?? "";
    } catch (error) {
      // The request before was done, but its answer was lost; or that of the same name is still there.
      if (!isAlreadyExists(error)) throw error;
      const uid = (await find<KubeObject>(world, resource, { ...place, name }))?.metadata?.uid;
      if (uid === undefined || uid === uidBefore) throw error;
      return uid;
    }
  });
}

/** Reads an object, undefined when there is none. */
export async function find<T>(
  { api, signal }: Pick<World, "api" | "signal">,
  resource: Resource,
  ref: ObjectRef,
): Promise<T | undefined> {
  const path = resourcePath(resource, ref);
  return persist(`reading ${path}`, signal, async () =>
    unlessGone(async () => api.request<T>("GET", path, { signal, timeoutMs: 10_000 })),
  );
}

/** Deletes an object, that of the UID only where one is given; one that has gone is fine. */
export async function remove(
  { api, signal }: Pick<World, "api" | "signal">,
  resource: Resource,
  ref: ObjectRef,
  options: {
    readonly uid?: string;
    readonly propagationPolicy?: "Foreground" | "Background";
    readonly gracePeriodSeconds?: number;
  } = {},
): Promise<void> {
  const { uid, ...others } = options;
  const path = resourcePath(resource, ref);
  const body = { ...others, ...(uid === undefined ? {} : { preconditions: { uid } }) };
  await persist(`deleting ${path}`, signal, async () =>
    unlessGone(async () => api.request("DELETE", path, { body, signal, timeoutMs: 10_000 })),
  );
}

/** Merges a patch into an object or its subresource; one that has gone is fine. */
export async function merge(
  { api, signal }: Pick<World, "api" | "signal">,
  resource: Resource,
  ref: ObjectRef & { readonly subresource?: string },
  patch: object,
): Promise<void> {
  const path = resourcePath(resource, ref);
  const options = { body: patch, contentType: "application/merge-patch+json", signal };
  await persist(`changing ${path}`, signal, async () =>
    unlessGone(async () => api.request("PATCH", path, { ...options, timeoutMs: 10_000 })),
  );
}

/** The answer; undefined when what was asked for is not there, or is another of the same name. */
export async function unlessGone<T>(action: () => Promise<T>): Promise<T | undefined> {
  try {
    return await action();
  } catch (error) {
    if (isNotFound(error) || isOfAnother(error)) return undefined;
    throw error;
  }
}

/** A precondition on the UID that does not hold. */
function isOfAnother(error: unknown): boolean {
  return error instanceof Error && /Precondition failed: UID/.test(error.message);
}
