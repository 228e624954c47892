import type { ModelVersion } from "../api/modelversion.ts";
import type { VersionStore } from "../gather/stores.ts";
import type { ApiServer } from "../kube/client.ts";
import { startInformer } from "../kube/informer.ts";
import { resources } from "../kube/resources.ts";
import type { Change } from "../kube/store.ts";
import type { Logger } from "../telemetry/logger.ts";

/** A source of changes that outlives one term of leadership. */
export interface VersionChanges {
  /** Resolves when all versions are known; rejects when the process stops before. */
  readonly synced: Promise<void>;
  /** Calls the listener for every change until the signal aborts. */
  subscribe(listener: (change: Change<ModelVersion>) => void, signal: AbortSignal): void;
}

/** Every replica keeps the versions: the webhook reads them, and the controller hears of their changes while it leads. */
export function followVersions(
  api: ApiServer,
  options: { readonly store: VersionStore; readonly log: Logger; readonly signal: AbortSignal },
): VersionChanges {
  const listeners = new Set<(change: Change<ModelVersion>) => void>();
  const informer = startInformer(api, resources.modelversions, {
    ...options,
    onChange: (change) => {
      for (const listener of listeners) listener(change);
    },
  });
  return {
    synced: informer.synced,
    subscribe(listener, until) {
      listeners.add(listener);
      until.addEventListener("abort", () => listeners.delete(listener), { once: true });
    },
  };
}
