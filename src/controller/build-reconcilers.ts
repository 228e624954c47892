import { observeModel, observeVersion, type BuildSources } from "../gather/building.ts";
import { observeRetention } from "../gather/version-use.ts";
import type { Builder } from "../builder/builder.ts";
import { reconcileModel } from "../reconcile/model.ts";
import { reconcileModelVersion } from "../reconcile/modelversion.ts";
import { reconcileRetention } from "../reconcile/retention.ts";
import type { Reconciler } from "./loop.ts";

/** The reconcilers of our own kinds. */
export function buildReconcilers(sources: BuildSources, builder: Builder): readonly Reconciler[] {
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
    {
      name: "retention",
      reconcile: async ({ namespace, name }, signal) => {
        const model = stores.models.get(namespace, name);
        if (model === undefined) return [];
        return reconcileRetention(await observeRetention(sources, model, signal));
      },
    },
  ];
}
