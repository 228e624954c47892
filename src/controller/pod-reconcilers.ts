import { observeCompletion, observeExportingPod, type Sources } from "../gather/exporting.ts";
import { observeGatedPod, rememberLift } from "../gather/serving.ts";
import { reconcileCompletion } from "../reconcile/completion.ts";
import { reconcileExportingPod } from "../reconcile/export-gate.ts";
import { reconcileGatedPod } from "../reconcile/serving-gate.ts";
import type { Reconciler } from "./loop.ts";

/** The reconcilers of other people's objects: serving pods, exporting pods and exporting jobs. */
export function podReconcilers(sources: Sources): readonly Reconciler[] {
  const { stores } = sources;
  return [
    {
      name: "serving-pod",
      reconcile: async ({ namespace, name }) => {
        const pod = stores.gatedPods.get(namespace, name);
        if (pod === undefined) return [];
        const actions = reconcileGatedPod(observeGatedPod(stores, pod));
        rememberLift(stores, pod, actions);
        return actions;
      },
    },
    {
      name: "exporting-pod",
      reconcile: async ({ namespace, name }, signal) => {
        const pod = stores.exportPods.get(namespace, name);
        if (pod === undefined) return [];
        return reconcileExportingPod(await observeExportingPod(sources, pod, signal));
      },
    },
    {
      name: "exporting-job",
      reconcile: async ({ namespace, name }) => {
        const job = stores.exportJobs.get(namespace, name);
        return job === undefined ? [] : reconcileCompletion(observeCompletion(sources, job));
      },
    },
  ];
}
