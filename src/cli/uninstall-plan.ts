import { FINALIZERS, GATES, LABELS } from "../api/annotations.ts";
import type {
  KubeObject,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
} from "../api/kube-types.ts";
import type { JobKind } from "../jobs/job-kind.ts";
import { outcomeOf } from "../jobs/outcome.ts";
import { resources, type Resource } from "../kube/resources.ts";
import { withoutFinalizer } from "../api/finalizer.ts";
import { removableStorage } from "./uninstall-storage.ts";

/** An object, and how the API calls its kind. */
export interface Found {
  readonly resource: Resource;
  readonly object: KubeObject;
}

/** What of modelhook is in a cluster. */
export interface UninstallObserved {
  readonly installation: Installation;
  /** Our webhook configurations. */
  readonly configurations: readonly Found[];
  /** Exporting jobs of all kinds, and pods, which may be their own jobs; the kind shows how one has ended. */
  readonly jobs: readonly (Found & { readonly kind: Pick<JobKind, "outcome"> })[];
  /** Pods that export, and those that wait for a model. */
  readonly pods: readonly Pod[];
  /** Jobs of builds; nobody would collect them once the kind of their owners has gone. */
  readonly builds: readonly KubeObject[];
  readonly versions: readonly KubeObject[];
  /** Those that we made. */
  readonly claims: readonly PersistentVolumeClaim[];
  readonly volumes: readonly PersistentVolume[];
  /** Why parts of this are not known. */
  readonly unread: readonly string[];
}

/** The Deployment by its namespace, and what runs of it. */
export interface Installation {
  readonly namespace: string;
  /** That it is to have; 0 where there is no Deployment. */
  readonly replicas: number;
  /** Names of the pods that have not ended. */
  readonly pods: readonly string[];
}

/** One thing to do, at once for all objects that it is to be done for. */
export type Step =
  | { readonly type: "stop"; readonly installation: Installation }
  | { readonly type: "delete"; readonly objects: readonly Found[]; readonly note?: string }
  | { readonly type: "release"; readonly finalizer: string; readonly objects: readonly Found[] };

/** What is to be done in a cluster, and what can not be. */
export interface UninstallPlan {
  /** Keeps modelhook from making anew what is removed, and the API server from asking it. */
  readonly stopping: readonly Step[];
  readonly clearing: readonly Step[];
  /** Jobs whose model is lost when they are let go now. */
  readonly lost: readonly (Found & { readonly outcome: "running" | "succeeded" })[];
  /** Pods that never start. */
  readonly waiting: readonly KubeObject[];
}

const OUR_GATES: ReadonlySet<string> = new Set(Object.values(GATES));

/** Plans what removes all that waits for modelhook, or that nobody would remove after it; empty steps are left out. */
export function planUninstall(observed: UninstallObserved): UninstallPlan {
  const { installation, configurations, jobs, pods, builds, versions } = observed;
  const isUp = installation.replicas > 0 || installation.pods.length > 0;
  const starting = pods.filter((pod) => !isGated(pod));
  const storage = removableStorage({ ...observed, pods: starting });
  const found = versions.map((object) => ({ resource: resources.modelversions, object }));
  return {
    stopping: [
      ...(isUp ? [{ type: "stop", installation } as const] : []),
      ...(configurations.length > 0 ? [{ type: "delete", objects: configurations } as const] : []),
    ],
    clearing: [
      ...releasing(FINALIZERS.export, [...jobs, ...found]),
      ...(builds.length > 0
        ? [
            {
              type: "delete",
              objects: builds.map((object) => ({ resource: resources.jobs, object })),
            } as const,
          ]
        : []),
      // Before the finalizer that is there for them, so that a failure between the two leaves no volume.
      ...(storage.length > 0
        ? [{ type: "delete", objects: storage, note: "data stays" } as const]
        : []),
      ...releasing(FINALIZERS.volume, found),
    ],
    lost: losing(observed),
    waiting: pods.filter((pod) => isGated(pod) && pod.metadata?.deletionTimestamp === undefined),
  };
}

/** Held jobs that go on, or have ended well without a version of theirs. */
function losing({ jobs, versions }: UninstallObserved): UninstallPlan["lost"] {
  const exported = new Set(versions.map(({ metadata }) => metadata?.labels?.[LABELS.jobUid]));
  return jobs.flatMap(({ resource, object, kind }) => {
    const { uid, deletionTimestamp } = object.metadata ?? {};
    const isHeld = withoutFinalizer(object, FINALIZERS.export).length > 0;
    if (!isHeld || exported.has(uid)) return [];
    const outcome = outcomeOf(kind, object);
    // What is deleted unfinished is not exported anyway.
    const ends = outcome === "running" && deletionTimestamp !== undefined;
    return outcome === "failed" || ends ? [] : [{ resource, object, outcome }];
  });
}

function isGated({ spec }: Pod): boolean {
  return (spec?.schedulingGates ?? []).some(({ name }) => OUR_GATES.has(name));
}

function releasing(finalizer: string, found: readonly Found[]): readonly Step[] {
  const objects = found.filter(({ object }) => withoutFinalizer(object, finalizer).length > 0);
  return objects.length === 0 ? [] : [{ type: "release", finalizer, objects }];
}
