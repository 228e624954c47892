import type { KubeObject } from "../api/kube-types.ts";
import { backoffDelay } from "../kube/backoff.ts";
import type { Action } from "../reconcile/action.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Applier } from "./apply.ts";
import { createQueue, type Queue } from "./queue.ts";

/** A namespaced object to reconcile. */
export interface Target {
  readonly namespace: string;
  readonly name: string;
}

/** One reconciler: where its input comes from, and what it decides. */
export interface Reconciler {
  /** First part of its keys, such as `modelversion`. */
  readonly name: string;
  /** Observes and decides; no actions for an object that is gone. */
  reconcile(target: Target, signal: AbortSignal): Promise<readonly Action[]>;
}

/** Name of a reconciler and its object, as one text: `modelversion/team-a/mnist-v1`. */
export type Key = `${string}/${string}/${string}`;

/** The key of an object. */
export function keyOf(reconciler: string, { metadata }: KubeObject): Key {
  return `${reconciler}/${metadata?.namespace}/${metadata?.name}`;
}

/** What the loop tells the metrics. */
export interface LoopMetrics {
  reconciled(reconciler: string, outcome: "done" | "retried" | "failed", seconds: number): void;
}

/** Pauses before a stale pass is repeated: the watch may bring what changed, or somebody may hold a name that we want, for good. */
const STALE_DELAY = { baseMs: 50, maxMs: 10_000 };

/** Runs observe, decide, apply for every key, one pass per key at a time, until the signal aborts. */
export function startLoop(options: {
  readonly reconcilers: readonly Reconciler[];
  readonly applier: Applier;
  readonly metrics: LoopMetrics;
  readonly workers: number;
  readonly log: Logger;
  readonly signal: AbortSignal;
}): Queue<Key> {
  const { applier, metrics, log, signal } = options;
  const byName = new Map(options.reconcilers.map((each) => [each.name, each]));
  /** How often in a row the pass of a key was stale. */
  const stale = new Map<Key, number>();

  async function work(key: Key): Promise<void> {
    const [name = "", namespace = "", object = ""] = key.split("/");
    const reconciler = byName.get(name);
    if (reconciler === undefined) throw new Error(`no reconciler for ${key}`);
    const started = performance.now();
    const done = (outcome: "done" | "retried" | "failed"): void =>
      metrics.reconciled(name, outcome, (performance.now() - started) / 1000);
    try {
      const actions = await reconciler.reconcile({ namespace, name: object }, signal);
      const { upToDate, requeueAfterMs } = await applier.apply(actions, signal);
      if (upToDate) {
        stale.delete(key);
        if (requeueAfterMs !== undefined) queue.addAfter(key, requeueAfterMs);
      } else {
        const times = (stale.get(key) ?? 0) + 1;
        stale.set(key, times);
        queue.addAfter(key, backoffDelay(times, STALE_DELAY));
      }
      done(upToDate ? "done" : "retried");
    } catch (error) {
      if (signal.aborted) return;
      done("failed");
      throw error;
    }
  }

  const queue = createQueue<Key>({
    baseDelayMs: 100,
    maxDelayMs: 60_000,
    workers: options.workers,
    work,
    log,
  });
  return queue;
}
