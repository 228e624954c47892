import { observeModel, observeVersion } from "../gather/building.ts";
import type { Sources } from "../gather/exporting.ts";
import type { Builder } from "../builder/builder.ts";
import { reconcileModel } from "../reconcile/model.ts";
import { reconcileModelVersion } from "../reconcile/modelversion.ts";
import type { Reconciler } from "./loop.ts";

/** The reconcilers of our own kinds. */
export function buildReconcilers(sources: Sources, builder: Builder): readonly Reconciler[] {
  const { stores } = sources;
  return [
    {
      name: "modelversion",
      reconcile: async ({ namespace, name }, signal) => {
        const version = stores.versions.get(namespace, name);
        if (version === undefined) return [];
        return reconcileModelVersion(await observeVersion(sources, version, signal), builder);
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
