import { observeModel, observeVersion, type BuildSources } from "../gather/building.ts";
import { reconcileModel } from "../reconcile/model.ts";
import { reconcileModelVersion, type Builders } from "../reconcile/modelversion.ts";
import type { Reconciler } from "./loop.ts";

/** The reconcilers of our own kinds. */
export function buildReconcilers(sources: BuildSources, builders: Builders): readonly Reconciler[] {
  const { stores } = sources;
  return [
    {
      name: "modelversion",
      reconcile: async ({ namespace, name }, signal) => {
        const version = stores.versions.get(namespace, name);
        if (version === undefined) return [];
        return reconcileModelVersion(await observeVersion(sources, version, signal), builders);
      },
    },
    {
      name: "model",
      reconcile: async ({ namespace, name }) => {
        const model = stores.models.get(namespace, name);
        return model === undefined ? [] : reconcileModel(observeModel(sources, model));
      },
    },
  ];
}
