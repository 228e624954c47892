import type { KubeObject } from "../../src/api/kube-types.ts";
import { connect } from "../../src/kube/client.ts";
import { startInformer, type Informer } from "../../src/kube/informer.ts";
import type { Selection } from "../../src/kube/list.ts";
import type { Resource } from "../../src/kube/resources.ts";
import { createStore, type Change } from "../../src/kube/store.ts";
import { createLogger } from "../../src/telemetry/logger.ts";

/** Watches a campaign from outside, by connections of its own. */
export interface Watching {
  /** Seconds since it began. */
  readonly seconds: () => number;
  /** Takes every change of the objects of a kind in the campaign's namespace, from now on. */
  follow<T extends KubeObject>(
    resource: Resource,
    selection: Pick<Selection, "labelSelector" | "fieldSelector">,
    take: (change: Change<T>) => void,
  ): void;
  /** Waits until all that is followed has been listed. */
  synced(): Promise<void>;
  /** Asks after every change until the answer is yes; throws when it is not in time, or when the signal aborts. */
  until(
    what: string,
    ask: () => boolean,
    options: { readonly seconds: number; readonly signal: AbortSignal },
  ): Promise<void>;
  close(): Promise<void>;
}

/** What campaigns know of what they watch. */
export interface Observer<H> extends Pick<Watching, "until" | "close"> {
  readonly history: H;
}

/**
 * Short, so that after an absence of the API server we look again before anybody else could have made and removed something: what
 * came and went between two looks would never be seen.
 */
const BACKOFF = { baseMs: 50, maxMs: 250 };

/** Begins to watch a namespace. */
export async function startWatching(kubeconfigPath: string, namespace: string): Promise<Watching> {
  const api = await connect({ kubeconfigPath });
  const stopping = new AbortController();
  const began = performance.now();
  const waiting = new Set<() => void>();
  const informers: Informer[] = [];
  return {
    seconds: () => (performance.now() - began) / 1000,
    follow<T extends KubeObject>(
      resource: Resource,
      selection: Pick<Selection, "labelSelector" | "fieldSelector">,
      take: (change: Change<T>) => void,
    ) {
      const informer = startInformer<T>(api, resource, {
        ...selection,
        namespace,
        store: createStore<T>(),
        onChange: (change) => {
          take(change);
          for (const look of waiting) look();
        },
        backoff: BACKOFF,
        log: createLogger({ level: "silent" }),
        signal: stopping.signal,
      });
      informers.push(informer);
    },
    async synced() {
      await Promise.all(informers.map(async ({ synced }) => synced));
    },
    async until(what, ask, { seconds, signal }) {
      signal.throwIfAborted();
      const { promise: came, resolve, reject } = Promise.withResolvers<void>();
      const look = (): void => {
        if (ask()) resolve();
      };
      const onAbort = (): void => reject(signal.reason as Error);
      const timer = setTimeout(
        () => reject(new Error(`${what}: not within ${seconds} s`)),
        seconds * 1000,
      );
      waiting.add(look);
      signal.addEventListener("abort", onAbort);
      try {
        look();
        await came;
      } finally {
        clearTimeout(timer);
        waiting.delete(look);
        signal.removeEventListener("abort", onAbort);
      }
    },
    async close() {
      stopping.abort(new Error("the campaign is over"));
      await api.close();
      await Promise.all(informers.map(async ({ stopped }) => stopped));
    },
  };
}
