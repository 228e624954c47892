import type { Limits } from "../admission/limits.ts";
import { limitsOf } from "../admission/policy.ts";
import type { ObjectMeta, Pod } from "../api/kube-types.ts";
import { exportRecordOf } from "../api/export-record.ts";
import { exportedVersionNames, trainingClaimName } from "../api/names.ts";
import type { JobKind } from "../jobs/job-kind.ts";
import { BARE_POD } from "../jobs/kinds.ts";
import { controllerOf, topmostJob, type OwningJob } from "../jobs/owner.ts";
import type { ApiServer } from "../kube/client.ts";
import { resources } from "../kube/resources.ts";
import { find } from "../kube/write.ts";
import type { CompletionObserved } from "../reconcile/completion.ts";
import { hasStarted, type ExportingPodObserved } from "../reconcile/export-gate.ts";
import {
  exportIntentOf,
  exportIntentOfPod,
  exportingJobOf,
  jobUidOf,
} from "../reconcile/exporting-job.ts";
import { trainingStorage } from "../storage/training-volume.ts";
import { locationOf } from "./export-location.ts";
import { takeTurn } from "./location.ts";
import { readOwners } from "./owners.ts";
import type { Stores } from "./stores.ts";
import { uidKey } from "./version-store.ts";

/** Where observations come from. */
export interface Sources {
  readonly api: ApiServer;
  readonly stores: Stores;
  /** The administrator's limits in force; asked once a pass, so that no pass sees two of them. */
  readonly limits: () => Limits;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** What the gate of an exporting pod depends on. */
export async function observeExportingPod(
  { api, stores, limits: inForce }: Sources,
  pod: Pod,
  signal: AbortSignal,
): Promise<ExportingPodObserved> {
  const namespace = pod.metadata?.namespace ?? "";
  const { policy } = inForce();
  const limits = limitsOf(policy, namespace);
  const owning = await owningJobOf(api, stores, pod, policy.jobKinds, signal);
  const intent =
    owning === undefined ? undefined : (exportIntentOf(owning) ?? exportIntentOfPod(pod));
  const nothing = { hostname: undefined, volume: undefined, claim: undefined, users: [] };
  const record = owning === undefined ? undefined : exportRecordOf(owning.job);
  const noted =
    record?.pod === undefined ? undefined : stores.exportPods.get(namespace, record.pod);
  const base = { pod, owning, limits, noted };
  // Of one that runs it is only noted where; that needs no more reading.
  const isOver = hasStarted(pod);
  if (owning === undefined || intent === undefined || isOver) return { ...base, ...nothing };
  const exporting = exportingJobOf(owning);
  const { bound, location } = trainingStorage(intent, exporting);
  const ownName = trainingClaimName(namespace, exporting.uid, location);
  const userClaim = intent.storage.persistentVolumeClaim?.claimName;
  const hostname =
    bound.nodeName === undefined ? undefined : await hostnameOf(api, bound.nodeName, signal);
  const claim =
    userClaim === undefined
      ? undefined
      : await find(
          api,
          resources.persistentvolumeclaims,
          { namespace, name: userClaim },
          { signal },
        );
  return {
    ...base,
    hostname,
    volume: stores.volumes.get(undefined, ownName),
    claim: claim ?? stores.claims.get(namespace, ownName),
    users: takeTurn(stores, policy, location, pod, owning),
  };
}

/** What came of an exporting job. */
export function observeCompletion(
  { stores, now, limits }: Sources,
  owning: OwningJob,
): CompletionObserved {
  const { namespace = "", uid = "" } = owning.job.metadata ?? {};
  const intent = exportIntentOf(owning);
  const location = locationOf(owning);
  const named = exportingJobOf(owning).uid;
  const ownName =
    location === undefined ? undefined : trainingClaimName(namespace, named, location);
  const names = intent === undefined ? [] : exportedVersionNames(intent.modelName, uid);
  const holders = names.flatMap((name) => stores.versions.get(namespace, name) ?? []);
  return {
    now: now(),
    ...owning,
    settings: limits().build,
    check: stores.preflightJobs.by("owner", uidKey(namespace, uid))[0],
    checkPods: stores.preflightPods.by("owner", uidKey(namespace, uid)),
    pods: stores.exportPods.by("job", uidKey(namespace, uid)),
    volume: ownName === undefined ? undefined : stores.volumes.get(undefined, ownName),
    claim: ownName === undefined ? undefined : stores.claims.get(namespace, ownName),
    versions: [...new Set([...stores.versions.by("job", uidKey(namespace, uid)), ...holders])],
  };
}

/** Value of the label kubernetes.io/hostname of a node; undefined when there is no such node or label. */
export async function hostnameOf(
  api: ApiServer,
  name: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const node = await find<{ readonly metadata: ObjectMeta }>(
    api,
    resources.nodes,
    { name },
    { signal },
  );
  return node?.metadata.labels?.["kubernetes.io/hostname"];
}

/** The job of a pod, as the watch shows it; a job that came past the webhook has no label of ours yet, so that no watch does. */
async function owningJobOf(
  api: ApiServer,
  stores: Stores,
  pod: Pod,
  kinds: readonly JobKind[],
  signal: AbortSignal,
): Promise<OwningJob | undefined> {
  const owner = controllerOf(pod);
  if (owner === undefined) return { job: pod, kind: BARE_POD };
  const { namespace = "" } = pod.metadata ?? {};
  const [cached] = stores.exporters.by("uid", uidKey(namespace, jobUidOf(pod)));
  return cached ?? topmostJob(await readOwners(api, namespace, owner, kinds, signal), kinds);
}
