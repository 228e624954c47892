import type { Job, Pod } from "../api/kube-types.ts";
import { trainingClaimName } from "../api/names.ts";
import { jobKind } from "../jobs/kinds.ts";
import { isHeld } from "../reconcile/exporting-job.ts";
import {
  hasBegun,
  isWriter,
  usersBesides,
  type Exporter,
  type LocationObserved,
} from "../reconcile/location.ts";
import type { Stores } from "./stores.ts";
import { uidKey } from "./version-store.ts";

/** Everything that uses a location, or wants to. */
export function observeLocation(stores: Stores, location: string): LocationObserved {
  const held = stores.exportJobs.by("location", location);
  return {
    versions: stores.versions.by("location", location),
    exporters: held.map((job) => exporterOf(stores, job, location)),
    pods: stores.exportPods.by("location", location),
    turn: turnAt(stores, location),
  };
}

/**
 * Who keeps a pod of a job from its location, by names for people. When nobody does, the job has the turn from now on: passes
 * over two jobs run at the same time, and neither would see yet that the other is let go.
 */
export function takeTurn(stores: Stores, location: string, pod: Pod, job: Job): readonly string[] {
  const users = usersBesides(job, observeLocation(stores, location));
  if (users.length === 0 && isStarting(pod, job) && !hasBegun(exporterOf(stores, job, location)))
    stores.turns.give(location, job);
  return users;
}

/** The job that was let go last, while the stores do not show what came of it. */
function turnAt(stores: Stores, location: string): Job | undefined {
  const job = stores.turns.holder(location);
  if (job === undefined) return undefined;
  const [live] = stores.exportJobs.by("uid", uidKey(job.metadata?.namespace, job.metadata?.uid));
  const isShown =
    live !== undefined && (!isHeld(live) || hasBegun(exporterOf(stores, live, location)));
  if (!isShown) return job;
  stores.turns.end(location);
  return undefined;
}

function exporterOf({ volumes, claims, exportPods }: Stores, job: Job, location: string): Exporter {
  const { namespace = "", uid = "" } = job.metadata ?? {};
  const name = trainingClaimName(namespace, uid, location);
  return {
    job,
    pods: exportPods.by("job", uidKey(namespace, uid)),
    storage: volumes.get(undefined, name) ?? claims.get(namespace, name),
  };
}

function isStarting(pod: Pod, job: Job): boolean {
  return (
    isWriter(pod) &&
    pod.metadata?.deletionTimestamp === undefined &&
    job.metadata?.deletionTimestamp === undefined &&
    jobKind(job.apiVersion, job.kind)?.outcome(job) === "running"
  );
}
