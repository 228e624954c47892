import { ANNOTATIONS, LABELS, type ExportIntent } from "../api/annotations.ts";
import type {
  Job,
  KubeObject,
  ObjectMeta,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
} from "../api/kube-types.ts";
import type { Model } from "../api/model.ts";
import type { ModelVersion } from "../api/modelversion.ts";
import { storedSpec } from "../api/stored-spec.ts";
import { trainingClaimName } from "../api/names.ts";
import { controllerOf } from "../jobs/owner.ts";
import { createStore, type WritableStore } from "../kube/store.ts";
import { exportIntentOf, exportIntentOfPod, isHeld } from "../reconcile/exporting-job.ts";
import { exportClaimOf } from "../reconcile/location.ts";
import { references } from "../reconcile/observed.ts";
import { trainingStorage } from "../storage/training-volume.ts";
import { createTurns, type Turns } from "./turns.ts";

/** ModelVersions of the cluster; the one store that every replica keeps. */
export type VersionStore = WritableStore<
  ModelVersion,
  "namespace" | "uid" | "job" | "model" | "location" | "image"
>;

/** What the leader watches: label-selected, never all pods; and what it knows before the watches show it. */
export interface Stores {
  readonly versions: VersionStore;
  /** Models, and the versions that their aliases name. */
  readonly models: WritableStore<Model, "alias">;
  /** Serving pods behind our gate. */
  readonly gatedPods: WritableStore<Pod, "version">;
  /** Pods of exporting jobs. */
  readonly exportPods: WritableStore<Pod, "job" | "location">;
  readonly exportJobs: WritableStore<Job, "uid" | "location">;
  /** Jobs and pods of builds. */
  readonly buildJobs: WritableStore<Job, "version">;
  readonly buildPods: WritableStore<Pod, "version">;
  /** Volumes and claims that we made. */
  readonly volumes: WritableStore<PersistentVolume>;
  readonly claims: WritableStore<PersistentVolumeClaim>;
  readonly turns: Turns;
}

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

/** The leader's stores, empty but for the versions. */
export function createStores(versions: VersionStore): Stores {
  return {
    versions,
    models: createStore({
      indexes: {
        alias: ({ metadata, spec }) =>
          Object.values(spec?.aliases ?? {}).map((version) => `${metadata.namespace}/${version}`),
      },
    }),
    gatedPods: createStore({
      indexes: {
        version: ({ metadata }) => [
          `${metadata?.namespace}/${metadata?.annotations?.[ANNOTATIONS.modelVersion]}`,
        ],
      },
    }),
    exportPods: createStore({
      indexes: {
        job: (pod) => uidKeys(pod.metadata, controllerOf(pod)?.uid),
        location: (pod) => present(locationOfPod(pod)),
      },
    }),
    exportJobs: createStore({
      indexes: {
        uid: ({ metadata }) => uidKeys(metadata, metadata?.uid),
        location: (job) => present(isHeld(job) ? locationOf(job) : undefined),
      },
    }),
    buildJobs: createStore({ indexes: { version: versionUid } }),
    buildPods: createStore({ indexes: { version: versionUid } }),
    volumes: createStore(),
    claims: createStore(),
    turns: createTurns(),
  };
}

/** The key under which an index finds by a UID that anybody can write down: only in the namespace where it is true. */
export function uidKey(namespace: string | undefined, uid: string | undefined): string {
  return `${namespace ?? ""}/${uid ?? ""}`;
}

/** The directory that a job's pods write to; undefined when its export can not be read. */
export function locationOf(job: Job): string | undefined {
  const { namespace = "", uid = "" } = job.metadata ?? {};
  return locationIn(exportIntentOf(job), namespace, uid);
}

/**
 * The directory that a pod writes to, by what it was told when it was admitted. The annotation may have been changed since; a
 * claim that we made can not, and its name holds the directory.
 */
export function locationOfPod(pod: Pod): string | undefined {
  const uid = controllerOf(pod)?.uid ?? "";
  const { namespace = "" } = pod.metadata ?? {};
  const intent = exportIntentOfPod(pod);
  const location = locationIn(intent, namespace, uid);
  const claimName = exportClaimOf(pod);
  if (location === undefined || claimName === undefined) return location;
  const expected =
    intent?.storage.persistentVolumeClaim?.claimName ?? trainingClaimName(namespace, uid, location);
  return claimName === expected ? location : undefined;
}

function locationIn(
  intent: ExportIntent | undefined,
  namespace: string,
  uid: string,
): string | undefined {
  return intent === undefined ? undefined : trainingStorage(intent, { namespace, uid }).location;
}

function versionUid({ metadata }: KubeObject): readonly string[] {
  return uidKeys(metadata, metadata?.labels?.[LABELS.versionUid]);
}

function uidKeys(metadata: ObjectMeta | undefined, uid: string | undefined): readonly string[] {
  return uid === undefined ? [] : [uidKey(metadata?.namespace, uid)];
}

function present(key: string | undefined): readonly string[] {
  return key === undefined ? [] : [key];
}
