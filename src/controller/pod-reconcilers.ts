import { LABELS } from "../api/annotations.ts";
import { observeCompletion, observeExportingPod, type Sources } from "../gather/exporting.ts";
import { uidKey } from "../gather/version-store.ts";
import { observeGatedPod, rememberLift } from "../gather/serving.ts";
import type { JobKind } from "../jobs/job-kind.ts";
import { BARE_POD } from "../jobs/kinds.ts";
import { reconcileCompletion } from "../reconcile/completion.ts";
import { reconcileExportedVersion } from "../reconcile/exported-version.ts";
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
      name: EXPORTED_VERSION,
      reconcile: async ({ namespace, name }) => {
        const version = stores.versions.get(namespace, name);
        if (version === undefined) return [];
        const uid = version.metadata.labels?.[LABELS.jobUid];
        const [owning] = stores.exporters.by("uid", uidKey(namespace, uid));
        return reconcileExportedVersion({ version, job: owning?.job });
      },
    },
    ...[...stores.exporters.stores.map(({ kind }) => kind), BARE_POD].map((kind): Reconciler => ({
      name: exportingJobs(kind),
      reconcile: async ({ namespace, name }) => {
        const owning = stores.exporters.get(kind, namespace, name);
        return owning === undefined ? [] : reconcileCompletion(observeCompletion(sources, owning));
      },
    })),
  ];
}

/** Name of the reconciler that lets exported versions go. */
export const EXPORTED_VERSION = "exported-version";

/** Name of the reconciler of the exporting jobs of a kind, such as `exporting-job.tfjobs.v1.kubeflow.org`. */
export function exportingJobs({ plural, version, group }: JobKind): string {
  return ["exporting-job", plural, version, group].filter((part) => part !== "").join(".");
}
