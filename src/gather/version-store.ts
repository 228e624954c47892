import { LABELS } from "../api/annotations.ts";
import type { ObjectMeta } from "../api/kube-types.ts";
import type { ModelVersion } from "../api/modelversion.ts";
import { storedSpec } from "../api/stored-spec.ts";
import { createStore, type WritableStore } from "../kube/store.ts";
import { references } from "../reconcile/observed.ts";

/** ModelVersions of the cluster. */
export type VersionStore = WritableStore<
  ModelVersion,
  "namespace" | "uid" | "job" | "model" | "location" | "image"
>;

/** An empty store of ModelVersions. */
export function createVersionStore(): VersionStore {
  return createStore({
    indexes: {
      namespace: ({ metadata }) => [metadata.namespace ?? ""],
      uid: ({ metadata }) => present(metadata.uid),
      job: ({ metadata }) => uidKeys(metadata, metadata.labels?.[LABELS.jobUid]),
      model: (version) => {
        const { modelName } = storedSpec(version);
        return modelName === undefined ? [] : [`${version.metadata.namespace}/${modelName}`];
      },
      location: (version) => present(references(version).location),
      image: (version) => present(references(version).image),
    },
  });
}

/** The key under which an index finds by a UID that anybody can write down: only in the namespace where it is true. */
export function uidKey(namespace: string | undefined, uid: string | undefined): string {
  return `${namespace ?? ""}/${uid ?? ""}`;
}

/** The index keys for a UID of an object; none without a UID. */
export function uidKeys(
  metadata: ObjectMeta | undefined,
  uid: string | undefined,
): readonly string[] {
  return uid === undefined ? [] : [uidKey(metadata?.namespace, uid)];
}

/** The index keys for a key that may be missing. */
export function present(key: string | undefined): readonly string[] {
  return key === undefined ? [] : [key];
}
