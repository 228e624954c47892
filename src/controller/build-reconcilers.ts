import { observeModel, observeVersion } from "../gather/building.ts";
import type { Sources } from "../gather/exporting.ts";
import { observeRetention } from "../gather/version-use.ts";
import type { Builders } from "../builder/builder.ts";
import { reconcileModel } from "../reconcile/model.ts";
import { engineOf } from "../reconcile/modelversion-limits.ts";
import { isLeaving } from "../reconcile/modelversion-repair.ts";
import { reconcileModelVersion } from "../reconcile/modelversion.ts";
import { reconcileRetention } from "../reconcile/retention.ts";
import type { Reconciler } from "./loop.ts";
import { createThrottle } from "./throttle.ts";
import type { Standby } from "./standby.ts";

/** A look at what refers to versions reads workloads and pods of a namespace, and every change of a version asks for one. */
const RETENTION_PAUSE_MS = 5_000;
const REMEMBERED_MODELS = 10_000;

/**
 * The reconcilers of our own kinds. In standby they do nothing, but for a version that is deleted and waits for our finalizer:
 * nobody else can let it go, and its namespace would wait with it.
 */
export function buildReconcilers(
  sources: Sources,
  builders: Builders,
  standby: Pick<Standby, "isOn">,
): readonly Reconciler[] {
  const { stores } = sources;
  const looking = createThrottle({ everyMs: RETENTION_PAUSE_MS, most: REMEMBERED_MODELS });
  return [
    {
      name: "modelversion",
      reconcile: async ({ namespace, name }, signal) => {
        const version = stores.versions.get(namespace, name);
        if (version === undefined || (standby.isOn() && !isLeaving(version))) return [];
        const observed = await observeVersion(sources, version, signal);
        // It may have begun while the API server was asked.
        if (standby.isOn() && !isLeaving(version)) return [];
        return reconcileModelVersion(observed, builders[engineOf(observed)]);
      },
    },
    {
      name: "model",
      reconcile: async ({ namespace, name }) => {
        const model = stores.models.get(namespace, name);
        if (model === undefined || standby.isOn()) return [];
        return reconcileModel(observeModel(sources, model));
      },
    },
    {
      name: "retention",
      reconcile: async ({ namespace, name }, signal) => {
        const model = stores.models.get(namespace, name);
        if (model === undefined || standby.isOn()) return [];
        const key = `${namespace}/${name}`;
        if (!looking.isDue(key, sources.now())) {
          return [{ type: "requeueAfter", ms: RETENTION_PAUSE_MS }];
        }
        return reconcileRetention(await observeRetention(sources, model, signal));
      },
    },
  ];
}
