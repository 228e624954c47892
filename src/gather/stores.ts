import { LABELS, type ExportIntent } from "../api/annotations.ts";
import type {
  Job,
  KubeObject,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
} from "../api/kube-types.ts";
import { trainingClaimName } from "../api/names.ts";
import { controllerOf } from "../jobs/owner.ts";
import { createStore, type WritableStore } from "../kube/store.ts";
import { exportIntentOf, exportIntentOfPod, isHeld } from "../reconcile/exporting-job.ts";
import { exportClaimOf } from "../reconcile/location.ts";
import { wantedOf } from "../inject/waiting.ts";
import { trainingStorage } from "../storage/training-volume.ts";
import type { AdmissionStores } from "./admission-stores.ts";
import { createTurns, type Turns } from "./turns.ts";
import { present, uidKeys } from "./version-store.ts";

/** What the leader watches: label-selected, never all pods; and what it knows before the watches show it. */
export interface Stores extends AdmissionStores {
  /** Serving pods behind our gate, by the versions and Models that they wait for. */
  readonly gatedPods: WritableStore<Pod, "version" | "model">;
  /** Pods of exporting jobs. */
  readonly exportPods: WritableStore<Pod, "job" | "location">;
  readonly exportJobs: WritableStore<Job, "uid" | "location">;
  /** Jobs and pods of builds. */
  readonly buildJobs: WritableStore<Job, "version">;
  readonly buildPods: WritableStore<Pod, "version">;
  /** Volumes and claims that we made. */
  readonly volumes: WritableStore<PersistentVolume>;
  readonly claims: WritableStore<PersistentVolumeClaim>;
  readonly turns: Turns<Job>;
  /** Pods whose gate was lifted last, by their template. */
  readonly lifted: Turns<Pod>;
}

/** The leader's stores, empty but for those that every replica keeps. */
export function createStores(admission: AdmissionStores): Stores {
  return {
    ...admission,
    gatedPods: createStore({
      indexes: {
        version: (pod) =>
          wantedOf(pod).flatMap((wanted) =>
            waitsFor(pod, "modelVersion" in wanted ? wanted.modelVersion : undefined),
          ),
        model: (pod) =>
          wantedOf(pod).flatMap((wanted) =>
            waitsFor(pod, "model" in wanted ? wanted.model : undefined),
          ),
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
    lifted: createTurns(),
  };
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

function waitsFor({ metadata }: Pod, name: string | undefined): readonly string[] {
  return name === undefined ? [] : [`${metadata?.namespace}/${name}`];
}
