import type { Sources } from "../gather/exporting.ts";
import { observeBinding, runningPods } from "../gather/injection.ts";
import { reconcileBinding } from "../reconcile/binding.ts";
import { NO_DRIFT, foldDrift } from "../reconcile/injection-drift.ts";
import type { Key, Reconciler } from "./loop.ts";
import { createThrottle } from "./throttle.ts";

/** Key of the look at the whole cluster, and how long after a term's begin it is first taken. */
export const DRIFT: { readonly key: Key; readonly afterMs: number } = {
  key: "injection-drift//pods",
  afterMs: 30_000,
};

const DRIFT_EVERY_MS = 300_000;

/** A look at a binding lists its pods, and every change of its model asks for one, as does the status that it writes itself. */
const BINDING_PAUSE_MS = 5_000;
const REMEMBERED_BINDINGS = 10_000;

/** What these reconcilers tell the metrics. */
export interface InjectionMetrics {
  /** So many running pods lack what they should have been made with. */
  notInjected(askedBy: "binding" | "annotation", pods: number): void;
}

/** The reconcilers that look for running pods which were made without what they, or a binding, ask for. */
export function injectionReconcilers(
  sources: Sources,
  options: {
    readonly metrics: InjectionMetrics;
    /** Pause between looks at the whole cluster; default 5 minutes. */
    readonly everyMs?: number;
  },
): readonly Reconciler[] {
  const { api, stores, limits } = sources;
  const { metrics, everyMs = DRIFT_EVERY_MS } = options;
  const looking = createThrottle({ everyMs: BINDING_PAUSE_MS, most: REMEMBERED_BINDINGS });
  /** Running pods without their model, by binding; those of which there is none are left out. */
  const lacking = new Map<string, number>();
  let told: readonly string[] = [];

  function count(binding: string, pods: number): void {
    if (pods === 0) lacking.delete(binding);
    else lacking.set(binding, pods);
    const all = [...lacking.values()].reduce((sum, each) => sum + each, 0);
    metrics.notInjected("binding", all);
  }

  return [
    {
      name: "modelbinding",
      reconcile: async ({ namespace, name }, signal) => {
        const key = `${namespace}/${name}`;
        const binding = stores.bindings.get(namespace, name);
        if (binding === undefined) {
          count(key, 0);
          return [];
        }
        if (!looking.isDue(key, sources.now())) {
          return [{ type: "requeueAfter", ms: BINDING_PAUSE_MS }];
        }
        const observed = await observeBinding(sources, binding, signal);
        const { actions, notInjected } = reconcileBinding(observed);
        count(key, notInjected);
        return actions;
      },
    },
    {
      name: "injection-drift",
      reconcile: async (_target, signal) => {
        const { systemNamespace } = limits().policy;
        let drift = NO_DRIFT;
        for await (const pods of runningPods(api, stores.nodes, { signal })) {
          drift = foldDrift(drift, { pods, systemNamespace, toldBefore: told });
        }
        told = drift.told;
        metrics.notInjected("annotation", drift.missed);
        return [...drift.actions, { type: "requeueAfter", ms: everyMs }];
      },
    },
  ];
}
