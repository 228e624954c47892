import type { Job, KubeObject, Pod } from "../../src/api/kube-types.ts";
import { connect } from "../../src/kube/client.ts";
import { startInformer } from "../../src/kube/informer.ts";
import { resources, type Resource } from "../../src/kube/resources.ts";
import { createStore, type Change } from "../../src/kube/store.ts";
import { createLogger } from "../../src/telemetry/logger.ts";
import { createRecorder, type History } from "./history.ts";
import { RUN_LABEL } from "./training-job.ts";

/** Watches a campaign from outside. */
export interface Observer {
  readonly history: History;
  /** Asks after every change until the answer is yes; throws when it is not in time, or when the signal aborts. */
  until(
    what: string,
    ask: () => boolean,
    options: { readonly seconds: number; readonly signal: AbortSignal },
  ): Promise<void>;
  close(): Promise<void>;
}

/** An Event as far as it is read. */
interface CompletedEvent extends KubeObject {
  readonly regarding?: { readonly uid?: string };
}

/**
 * Short, so that after an absence of the API server we look again before anybody else could have made and removed something: what
 * came and went between two looks would never be seen.
 */
const BACKOFF = { baseMs: 50, maxMs: 250 };

/** Follows jobs, their pods and ModelVersions of a namespace by connections of its own, and remembers them all. */
export async function observe(kubeconfigPath: string, namespace: string): Promise<Observer> {
  const api = await connect({ kubeconfigPath });
  const stopping = new AbortController();
  const began = performance.now();
  const history = createRecorder(() => (performance.now() - began) / 1000);
  const waiting = new Set<() => void>();

  function follow<T extends KubeObject>(
    resource: Resource,
    selection: { readonly labelSelector?: string; readonly fieldSelector?: string },
    take: (change: Change<T>) => void,
  ): { readonly synced: Promise<void>; readonly stopped: Promise<void> } {
    return startInformer<T>(api, resource, {
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
  }

  const informers = [
    follow<Job>(resources.jobs, { labelSelector: RUN_LABEL }, (change) => history.job(change)),
    follow<Pod>(resources.pods, { labelSelector: RUN_LABEL }, (change) => history.pod(change)),
    follow<KubeObject>(resources.modelversions, {}, (change) => history.version(change)),
    follow<CompletedEvent>(resources.events, { fieldSelector: "reason=Completed" }, (change) =>
      history.completedEvent(change.object.regarding?.uid ?? ""),
    ),
  ];
  await Promise.all(informers.map(async ({ synced }) => synced));

  return {
    history,
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
