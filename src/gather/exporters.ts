import type { KubeObject, Pod } from "../api/kube-types.ts";
import type { JobKind } from "../jobs/job-kind.ts";
import { BARE_POD } from "../jobs/kinds.ts";
import { controllerOf, type OwningJob } from "../jobs/owner.ts";
import { createStore, type Store, type WritableStore } from "../kube/store.ts";
import { isHeld } from "../reconcile/exporting-job.ts";
import { locationOf } from "./export-location.ts";
import { present, uidKeys } from "./version-store.ts";

/** The exporting jobs of all kinds: a store for each, since two kinds may have objects of one name. */
export interface Exporters {
  readonly stores: readonly {
    readonly kind: JobKind;
    readonly store: WritableStore<KubeObject, "uid" | "location">;
  }[];
  get(kind: JobKind, namespace: string, name: string): OwningJob | undefined;
  /** By `namespace/uid`, or by the directory that those write to which we hold. */
  by(index: "uid" | "location", key: string): readonly OwningJob[];
}

/** Empty stores for these kinds. Pods that are their own jobs are looked up where all exporting pods are. */
export function createExporters(
  kinds: readonly JobKind[],
  exportPods: Store<Pod, "job" | "location">,
): Exporters {
  const stores = kinds.map((kind) => ({
    kind,
    store: createStore<KubeObject, "uid" | "location">({
      indexes: {
        uid: ({ metadata }) => uidKeys(metadata, metadata?.uid),
        location: (job) => present(isHeld(job) ? locationOf({ job, kind }) : undefined),
      },
    }),
  }));
  return {
    stores,
    get(kind, namespace, name) {
      const store =
        kind === BARE_POD ? exportPods : stores.find((each) => each.kind === kind)?.store;
      const job = store?.get(namespace, name);
      return job === undefined ? undefined : { job, kind };
    },
    by(index, key) {
      const bare = exportPods
        .by(index === "uid" ? "job" : "location", key)
        .filter((pod) => controllerOf(pod) === undefined && isHeld(pod));
      return [
        ...stores.flatMap(({ kind, store }) => store.by(index, key).map((job) => ({ job, kind }))),
        ...bare.map((job) => ({ job, kind: BARE_POD })),
      ];
    },
  };
}
