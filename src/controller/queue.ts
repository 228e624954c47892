import { backoffDelay } from "../kube/backoff.ts";
import type { Logger } from "../telemetry/logger.ts";

/** How a queue works through its keys. */
export interface QueueOptions<K extends string> {
  /** Delay after a key's first failure; doubled with each further one. */
  readonly baseDelayMs: number;
  readonly maxDelayMs: number;
  /** How many different keys are worked on at once. */
  readonly workers: number;
  /** Works on one key, never on the same key twice at once. A rejection brings the key back later; success forgets its failures. */
  readonly work: (key: K) => Promise<void>;
  readonly log: Logger;
  /** Gives 0 to 1, for the spread of delays; default Math.random. */
  readonly random?: () => number;
}

/** Keys that need work: each once, however often it was added, in the order of their first addition. */
export interface Queue<K extends string> {
  /** Keys that wait for a worker, those that wait for their time left out. */
  readonly depth: number;
  /** Work soon. While the key is being worked on: once more afterwards. Takes the place of a later addition. */
  add(key: K): void;
  /** Work once `delayMs` have passed; of several additions the earliest holds. */
  addAfter(key: K, delayMs: number): void;
  /** Takes no more keys, forgets those that wait, and resolves when the workers have finished theirs. */
  stop(): Promise<void>;
}

/** Longest delay that a Node timer keeps; a longer one would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Starts an empty queue; its workers start with the first key. */
export function createQueue<K extends string>(options: QueueOptions<K>): Queue<K> {
  const limits = { baseMs: options.baseDelayMs, maxMs: options.maxDelayMs };
  const waiting = new Set<K>();
  const working = new Set<K>();
  const addedMeanwhile = new Set<K>();
  const later = new Map<K, { readonly timer: NodeJS.Timeout; readonly dueMs: number }>();
  const failures = new Map<K, number>();
  const drained = Promise.withResolvers<void>();
  let stopped = false;

  function add(key: K): void {
    if (stopped) return;
    cancel(key);
    if (working.has(key)) {
      addedMeanwhile.add(key);
      return;
    }
    waiting.add(key);
    // Not at once, so that additions in one go count as one.
    queueMicrotask(startWork);
  }

  function addAfter(key: K, delayMs: number): void {
    if (stopped) return;
    const dueMs = performance.now() + delayMs;
    if ((later.get(key)?.dueMs ?? Infinity) <= dueMs) return;
    cancel(key);
    const timer = setTimeout(add, Math.min(Math.max(delayMs, 0), MAX_TIMER_MS), key);
    later.set(key, { timer, dueMs });
  }

  function cancel(key: K): void {
    clearTimeout(later.get(key)?.timer);
    later.delete(key);
  }

  function startWork(): void {
    for (const key of waiting) {
      if (working.size >= options.workers) return;
      waiting.delete(key);
      working.add(key);
      void workOn(key);
    }
  }

  async function workOn(key: K): Promise<void> {
    try {
      await options.work(key);
      failures.delete(key);
    } catch (err) {
      const count = (failures.get(key) ?? 0) + 1;
      failures.set(key, count);
      const delayMs = backoffDelay(count, limits, options.random);
      options.log.warn({ key, err, failures: count, delayMs }, "Work failed, will retry");
      addAfter(key, delayMs);
    }
    working.delete(key);
    if (addedMeanwhile.delete(key)) add(key);
    startWork();
    if (stopped && working.size === 0) drained.resolve();
  }

  return {
    get depth() {
      return waiting.size;
    },
    add,
    addAfter,
    async stop() {
      stopped = true;
      waiting.clear();
      for (const key of later.keys()) cancel(key);
      if (working.size === 0) drained.resolve();
      await drained.promise;
    },
  };
}
