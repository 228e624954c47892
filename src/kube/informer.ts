import { setTimeout as sleep } from "node:timers/promises";
import type { KubeObject } from "../api/kube-types.ts";
import type { Logger } from "../telemetry/logger.ts";
import { backoffDelay, type BackoffLimits } from "./backoff.ts";
import type { ApiServer } from "./client.ts";
import { ApiError, ConnectionError, isNotFound, isTransient, statusError } from "./errors.ts";
import { listAll, type Selection } from "./list.ts";
import { apiVersionOf } from "../api/api-version.ts";
import { resourcePath, type Resource } from "./resources.ts";
import type { Change, WritableStore } from "./store.ts";
import { watchEvents, type WatchEvent } from "./watch.ts";

/** What to follow and where to put it. */
export interface InformerOptions<T extends KubeObject, I extends string = never> extends Selection {
  readonly store: WritableStore<T, I>;
  /** The part of an object that is kept; all of it when absent. Name, namespace, uid and resourceVersion have to stay. */
  readonly pick?: (object: T) => T;
  /** Called after the store changed, in the server's order for one object; what it throws is logged. */
  readonly onChange?: (change: Change<T>) => void;
  /** A kind that the cluster does not have counts as one without objects, and is looked for again. */
  readonly absentIsEmpty?: boolean;
  readonly log: Logger;
  /** Ends the informer; the store keeps what it has. */
  readonly signal: AbortSignal;
  readonly pageSize?: number;
  /** Silence after which a watch counts as dead; default 90 s, as the server sends a bookmark every 60 s. */
  readonly stallMs?: number;
  /** Delay between attempts after a failure; default 0.8 s doubling to 30 s. */
  readonly backoff?: BackoffLimits;
}

/** A running informer; it ends by its signal only. */
export interface Informer {
  /** Resolves after the first whole list; rejects with the signal's reason when stopped before. */
  readonly synced: Promise<void>;
  hasSynced(): boolean;
  /** Resolves when nothing of it runs any more; never rejects. */
  readonly stopped: Promise<void>;
}

/** Failed watches in a row, none with an event, after which resuming is given up for a new list. */
const RESUMES = 3;

/**
 * Keeps a store equal to a collection on the server:
 *
 *     list (whole, paged) --> watch from its version --> event: store, then onChange
 *       ^                        |            |
 *       |                        |            +-- ended by the server, connection lost, silent: watch again from the last event
 *       +-- version too old, error in the stream, no event in three watches: list again, differences become changes
 *
 * Failures wait for a growing delay, or for as long as the server asks within its maximum; none of them ends the informer.
 */
export function startInformer<T extends KubeObject, I extends string = never>(
  api: ApiServer,
  resource: Resource,
  options: InformerOptions<T, I>,
): Informer {
  const { store, signal, pick = (object) => object } = options;
  const limits = options.backoff ?? { baseMs: 800, maxMs: 30_000 };
  // A place that does not fit the resource is a bug; the caller learns of it now.
  const request = `WATCH ${resourcePath(resource, { namespace: options.namespace })}`;
  const type = { apiVersion: apiVersionOf(resource), kind: resource.kind };
  const { promise: synced, resolve, reject } = Promise.withResolvers<void>();
  // Whoever awaits `synced` still gets the rejection; nobody has to.
  synced.catch(() => {});
  let isSynced = false;
  /** Where the next watch begins; undefined when a list is needed first. */
  let version: string | undefined;
  /** Attempts in a row that brought nothing. */
  let failures = 0;

  async function relist(): Promise<string> {
    const { items, resourceVersion } = await listAll<T>(api, resource, options);
    notify(store.replace(items));
    options.log.info({ resource: resource.plural, objects: store.size, resourceVersion }, "Listed");
    setSynced();
    return resourceVersion;
  }

  function setSynced(): void {
    isSynced = true;
    resolve();
  }

  async function follow(resourceVersion: string): Promise<void> {
    const began = performance.now();
    let heard = false;
    const events = watchEvents<T>(api, resource, {
      ...options,
      resourceVersion,
      // Random, so that the watches of many replicas do not end together.
      timeoutSeconds: 300 + Math.floor(Math.random() * 300),
      stallMs: options.stallMs ?? 90_000,
    });
    for await (const event of events) {
      version = take(event);
      heard = true;
      failures = 0;
    }
    if (!heard && performance.now() - began < limits.maxMs) {
      throw new ConnectionError(request, "the server ended the watch at once");
    }
    failures = 0;
  }

  function take(event: WatchEvent<T>): string | undefined {
    switch (event.type) {
      case "ADDED":
      case "MODIFIED":
        notify(store.set(pick({ ...event.object, ...type })));
        break;
      case "DELETED":
        notify(store.remove(pick({ ...event.object, ...type })));
        break;
      case "BOOKMARK":
        break;
      case "ERROR":
        // Whatever it is, resuming at the same version would meet it again.
        version = undefined;
        throw statusError(event.object, { status: 500, request });
    }
    return event.object.metadata?.resourceVersion;
  }

  function reportHandler(err: unknown): void {
    options.log.error({ err, resource: resource.plural }, "Handler of a change failed");
  }

  function notify(changes: readonly Change<T>[]): void {
    for (const change of changes) {
      try {
        // An async handler fits the type too; its rejection must not end the process.
        Promise.resolve(options.onChange?.(change)).catch(reportHandler);
      } catch (err) {
        reportHandler(err);
      }
    }
  }

  async function run(): Promise<void> {
    while (!signal.aborted) {
      try {
        version ??= await relist();
        await follow(version);
      } catch (err) {
        if (signal.aborted) break;
        if (options.absentIsEmpty === true && isNotFound(err)) {
          notify(store.replace([]));
          setSynced();
        }
        failures += 1;
        if (!isTransient(err) || failures >= RESUMES) version = undefined;
        const delayMs = delayAfter(err, failures, limits);
        const next = version === undefined ? "list" : "watch";
        options.log.warn({ err, resource: resource.plural, failures, next, delayMs }, "Watch lost");
        await sleep(delayMs, undefined, { signal }).catch(() => {});
      }
    }
    if (!isSynced) reject(signal.reason);
  }

  return { synced, hasSynced: () => isSynced, stopped: run() };
}

function delayAfter(error: unknown, failures: number, limits: BackoffLimits): number {
  return error instanceof ApiError && error.retryAfterMs !== undefined
    ? Math.min(error.retryAfterMs, limits.maxMs)
    : backoffDelay(failures, limits);
}
