import { limitsOf, type Policy } from "../admission/policy.ts";
import { LABELS, type ExportIntent } from "../api/annotations.ts";
import type { KubeObject, Pod } from "../api/kube-types.ts";
import { trainingClaimName } from "../api/names.ts";
import { outcomeOf } from "../jobs/outcome.ts";
import type { OwningJob } from "../jobs/owner.ts";
import {
  exportIntentOf,
  exportIntentOfPod,
  exportingJobOf,
  isHeld,
  jobUidOf,
} from "../reconcile/exporting-job.ts";
import { storageOf } from "../storage/bound.ts";
import type { StorageLimits } from "../storage/provider.ts";
import {
  exportClaimOf,
  hasBegun,
  usersBesides,
  type Exporter,
  type LocationObserved,
} from "../reconcile/location.ts";
import type { Stores } from "./stores.ts";
import { uidKey } from "./version-store.ts";

/**
 * Everything that uses a location, or wants to. Anybody can write our label and annotation on objects that exist; where they name
 * a directory that their namespace may not use, and no volume was made for it, they count for nothing.
 */
export function observeLocation(
  stores: Stores,
  policy: Policy,
  location: string,
): LocationObserved {
  const isReal = (
    claimName: string | undefined,
    intent: ExportIntent | undefined,
    namespace = "",
  ) =>
    (claimName !== undefined && stores.volumes.get(undefined, claimName) !== undefined) ||
    isAllowed(intent, limitsOf(policy, namespace));
  return {
    versions: stores.versions.by("location", location),
    exporters: stores.exporters
      .by("location", location)
      .filter((owning) => {
        const { namespace, uid } = exportingJobOf(owning);
        const claim = trainingClaimName(namespace, uid, location);
        return isReal(claim, exportIntentOf(owning), namespace);
      })
      .map((owning) => exporterOf(stores, owning, location)),
    pods: stores.exportPods
      .by("location", location)
      .filter(
        (pod) =>
          !isKept(stores, pod) &&
          isReal(exportClaimOf(pod), exportIntentOfPod(pod), pod.metadata?.namespace),
      ),
    turn: turnAt(stores, location),
  };
}

function isAllowed(intent: ExportIntent | undefined, limits: StorageLimits): boolean {
  const bound = storageOf(intent?.storage);
  return bound !== undefined && bound.validate("storage", limits).length === 0;
}

/** A pod that goes on after the success of its job, and writes no more: the head of a Ray cluster that is kept. */
function isKept(stores: Stores, pod: Pod): boolean {
  const [owning] = stores.exporters.by("uid", uidKey(pod.metadata?.namespace, jobUidOf(pod)));
  return owning?.kind.writerStays === true && outcomeOf(owning.kind, owning.job) === "succeeded";
}

/**
 * Who keeps a pod of a job from its location, by names for people. When nobody does, the job has the turn from now on: passes
 * over two jobs run at the same time, and neither would see yet that the other is let go.
 */
export function takeTurn(
  stores: Stores,
  policy: Policy,
  location: string,
  pod: Pod,
  owning: OwningJob,
): readonly string[] {
  const users = usersBesides(owning.job, observeLocation(stores, policy, location));
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
