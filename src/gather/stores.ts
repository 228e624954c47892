import { LABELS } from "../api/annotations.ts";
import type {
  Job,
  KubeObject,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
} from "../api/kube-types.ts";
import type { JobKind } from "../jobs/job-kind.ts";
import { createStore, type WritableStore } from "../kube/store.ts";
import { jobUidOf } from "../reconcile/exporting-job.ts";
import { wantedOf } from "../inject/waiting.ts";
import type { AdmissionStores } from "./admission-stores.ts";
import { createExporters, type Exporters } from "./exporters.ts";
import { locationOfPod } from "./export-location.ts";
import { createTurns, type Turns } from "./turns.ts";
import { present, uidKeys } from "./version-store.ts";

/** What the leader watches: label-selected, never all pods; and what it knows before the watches show it. */
export interface Stores extends AdmissionStores {
  /** Serving pods behind our gate, by the versions and Models that they wait for. */
  readonly gatedPods: WritableStore<Pod, "version" | "model">;
  /** Pods of exporting jobs. */
  readonly exportPods: WritableStore<Pod, "job" | "location">;
  readonly exporters: Exporters;
  /** Jobs, and their pods, that ask registries for exporting jobs. */
  readonly preflightJobs: WritableStore<Job, "owner">;
  readonly preflightPods: WritableStore<Pod, "owner">;
  /** Jobs and pods of builds. */
  readonly buildJobs: WritableStore<Job, "version">;
  readonly buildPods: WritableStore<Pod, "version">;
  /** Volumes and claims that we made. */
  readonly volumes: WritableStore<PersistentVolume>;
  readonly claims: WritableStore<PersistentVolumeClaim>;
  readonly turns: Turns<KubeObject>;
  /** Pods whose gate was lifted last, by their template. */
  readonly lifted: Turns<Pod>;
}

/** The leader's stores for these kinds of jobs, empty but for those that every replica keeps. */
export function createStores(admission: AdmissionStores, jobKinds: readonly JobKind[]): Stores {
  const exportPods = createStore<Pod, "job" | "location">({
    indexes: {
      job: (pod) => uidKeys(pod.metadata, jobUidOf(pod)),
      location: (pod) => present(locationOfPod(pod)),
    },
  });
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
    exportPods,
    exporters: createExporters(jobKinds, exportPods),
    preflightJobs: createStore({ indexes: { owner: preflightOwner } }),
    preflightPods: createStore({ indexes: { owner: preflightOwner } }),
    buildJobs: createStore({ indexes: { version: versionUid } }),
    buildPods: createStore({ indexes: { version: versionUid } }),
    volumes: createStore(),
    claims: createStore(),
    turns: createTurns(),
    lifted: createTurns(),
  };
}

function versionUid({ metadata }: KubeObject): readonly string[] {
  return uidKeys(metadata, metadata?.labels?.[LABELS.versionUid]);
}

function preflightOwner({ metadata }: KubeObject): readonly string[] {
  return uidKeys(metadata, metadata?.labels?.[LABELS.preflight]);
}

function waitsFor({ metadata }: Pod, name: string | undefined): readonly string[] {
  return name === undefined ? [] : [`${metadata?.namespace}/${name}`];
}
