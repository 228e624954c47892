import type { Following } from "../gather/follow.ts";
import type { Stores } from "../gather/stores.ts";
import type { ApiServer } from "../kube/client.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Applier } from "./apply.ts";
import { keyOfBinding, keysOfBinding, keysOfNamespace } from "./binding-keys.ts";
import { DRIFT } from "./injection-reconcilers.ts";
import { startLoop, type Key, type LoopMetrics, type Reconciler } from "./loop.ts";
import type { Standby } from "./standby.ts";
import { keysOfModel, keysOfVersion, keysUnderLimits, startWatches } from "./watches.ts";

/** Objects worked on at once; each waits for the API server most of its time. */
const WORKERS = 8;

/** Leads for one term: watches, reconciles, writes, until the signal aborts and the work under way has ended. */
export async function runController(options: {
  readonly api: ApiServer;
  readonly stores: Stores;
  /** What every replica follows, and the controller hears of while it leads. */
  readonly following: Following;
  /** Calls the listener when other limits are in force, until the signal aborts. */
  readonly onLimits: (listener: () => void, signal: AbortSignal) => void;
  readonly reconcilers: readonly Reconciler[];
  readonly applier: Applier;
  /** After whose end everything is looked at again. */
  readonly standby: Pick<Standby, "onEnd">;
  readonly metrics: LoopMetrics;
  readonly log: Logger;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { api, stores, log, signal } = options;
  const queue = startLoop({ ...options, workers: WORKERS });
  // A pass that saw half of the caches would take what is missing for deleted.
  const early = new Set<Key>();
  let enqueue = (key: Key): void => void early.add(key);
  const add = (key: Key): void => enqueue(key);
  const { following } = options;
  following.onVersion(({ object }) => keysOfVersion(stores, object).forEach(add), signal);
  following.onModel(({ object }) => keysOfModel(stores, object).forEach(add), signal);
  following.onBinding((change) => keysOfBinding(stores, change).forEach(add), signal);
  following.onNamespace(({ object: { metadata } }) => {
    keysOfNamespace(stores, metadata?.name).forEach(add);
  }, signal);
  const addAll = (): void => {
    for (const version of stores.versions.list()) keysOfVersion(stores, version).forEach(add);
    for (const model of stores.models.list()) keysOfModel(stores, model).forEach(add);
    for (const binding of stores.bindings.list()) add(keyOfBinding(binding));
  };
  options.standby.onEnd(addAll, signal);
  options.onLimits(() => keysUnderLimits(stores).forEach(add), signal);
  const informers = startWatches(stores, { api, enqueue: add, log, signal });
  try {
    const synced = [following, ...informers].map(async (each) => each.synced);
    await Promise.race([Promise.all(synced), aborted(signal)]);
    signal.throwIfAborted();
    addAll();
    enqueue = (key) => queue.add(key);
    early.forEach(enqueue);
    queue.addAfter(DRIFT.key, DRIFT.afterMs);
    log.info({ versions: stores.versions.size, keys: early.size }, "Leading");
    await aborted(signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    await queue.stop();
    await Promise.all(informers.map(async (informer) => informer.stopped));
  }
}

/** Resolves when the signal aborts. */
export async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
