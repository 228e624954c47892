import { LABELS } from "../api/annotations.ts";
import type { KubeObject, Pod } from "../api/kube-types.ts";
import { trainingClaimName } from "../api/names.ts";
import { outcomeOf } from "../jobs/outcome.ts";
import type { OwningJob } from "../jobs/owner.ts";
import { exportingJobOf, isHeld } from "../reconcile/exporting-job.ts";
import {
  hasBegun,
  usersBesides,
  type Exporter,
  type LocationObserved,
} from "../reconcile/location.ts";
import type { Stores } from "./stores.ts";
import { uidKey } from "./version-store.ts";

/** Everything that uses a location, or wants to. */
export function observeLocation(stores: Stores, location: string): LocationObserved {
  const held = stores.exporters.by("location", location);
  return {
    versions: stores.versions.by("location", location),
    exporters: held.map((owning) => exporterOf(stores, owning, location)),
    pods: stores.exportPods.by("location", location),
    turn: turnAt(stores, location),
  };
}

/**
 * Who keeps a pod of a job from its location, by names for people. When nobody does, the job has the turn from now on: passes
 * over two jobs run at the same time, and neither would see yet that the other is let go.
 */
export function takeTurn(
  stores: Stores,
  location: string,
  pod: Pod,
  owning: OwningJob,
): readonly string[] {
  const users = usersBesides(owning.job, observeLocation(stores, location));
  const isFree = users.length === 0 && !hasBegun(exporterOf(stores, owning, location));
  if (isFree && isStarting(pod, owning)) stores.turns.give(location, owning.job);
  return users;
}

/** The job that was let go last, while the stores do not show what came of it. */
function turnAt(stores: Stores, location: string): KubeObject | undefined {
  const job = stores.turns.holder(location);
  if (job === undefined) return undefined;
  const [live] = stores.exporters.by("uid", uidKey(job.metadata?.namespace, job.metadata?.uid));
  const isShown =
    live !== undefined && (!isHeld(live.job) || hasBegun(exporterOf(stores, live, location)));
  if (!isShown) return job;
  stores.turns.end(location);
  return undefined;
}

function exporterOf(
  { volumes, claims, exportPods }: Stores,
  owning: OwningJob,
  location: string,
): Exporter {
  const { namespace, uid } = exportingJobOf(owning);
  const name = trainingClaimName(namespace, uid, location);
  return {
    ...owning,
    pods: exportPods.by("job", uidKey(namespace, owning.job.metadata?.uid)),
    storage: [volumes.get(undefined, name), claims.get(namespace, name)].find((each) =>
      isMadeFor(each, owning.job),
    ),
  };
}

/** Pods without a controller that write to one directory use one name; whose it is, the owner of the claim tells. */
function isMadeFor(storage: KubeObject | undefined, { metadata }: KubeObject): boolean {
  const { uid } = metadata ?? {};
  const { labels, ownerReferences } = storage?.metadata ?? {};
  return (
    uid !== undefined &&
    (labels?.[LABELS.jobUid] === uid ||
      ownerReferences?.some((owner) => owner.uid === uid) === true)
  );
}

function isStarting(pod: Pod, { job, kind }: OwningJob): boolean {
  return (
    pod.metadata?.deletionTimestamp === undefined &&
    job.metadata?.deletionTimestamp === undefined &&
    outcomeOf(kind, job) === "running"
  );
}
