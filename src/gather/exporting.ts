import type { Limits } from "../admission/limits.ts";
import { limitsOf } from "../admission/policy.ts";
import type { Job, KubeObject, ObjectMeta, Pod } from "../api/kube-types.ts";
import { exportedVersionNames, trainingClaimName } from "../api/names.ts";
import { controllerOf } from "../jobs/owner.ts";
import type { ApiServer } from "../kube/client.ts";
import { isNotFound } from "../kube/errors.ts";
import { resources, type ObjectRef, type Resource } from "../kube/resources.ts";
import { get } from "../kube/write.ts";
import type { CompletionObserved } from "../reconcile/completion.ts";
import type { ExportingPodObserved } from "../reconcile/export-gate.ts";
import { exportIntentOf } from "../reconcile/exporting-job.ts";
import { storageOf } from "../storage/bound.ts";
import { trainingStorage } from "../storage/training-volume.ts";
import { takeTurn } from "./location.ts";
import { locationOf, type Stores } from "./stores.ts";
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
  const limits = limitsOf(inForce().policy, namespace);
  const job = await jobOf(api, stores, pod, signal);
  const intent = job === undefined ? undefined : exportIntentOf(job);
  const nothing = { hostname: undefined, volume: undefined, claim: undefined, users: [] };
  const base = { pod, job, limits };
  if (job === undefined || intent === undefined || storageOf(intent.storage) === undefined) {
    return { ...base, ...nothing };
  }
  const uid = job.metadata?.uid ?? "";
  const { bound, location } = trainingStorage(intent, { namespace, uid });
  const ownName = trainingClaimName(namespace, uid, location);
  const userClaim = intent.storage.persistentVolumeClaim?.claimName;
  const hostname =
    bound.nodeName === undefined ? undefined : await hostnameOf(api, bound.nodeName, signal);
  const claim =
    userClaim === undefined
      ? undefined
      : await find(api, resources.persistentvolumeclaims, { namespace, name: userClaim }, signal);
  return {
    ...base,
    hostname,
    volume: stores.volumes.get(undefined, ownName),
    claim: claim ?? stores.claims.get(namespace, ownName),
    users: takeTurn(stores, location, pod, job),
  };
}

/** What came of an exporting job. */
export function observeCompletion({ stores, now }: Sources, job: Job): CompletionObserved {
  const { namespace = "", uid = "" } = job.metadata ?? {};
  const intent = exportIntentOf(job);
  const location = locationOf(job);
  const ownName = location === undefined ? undefined : trainingClaimName(namespace, uid, location);
  const names = intent === undefined ? [] : exportedVersionNames(intent.modelName, uid);
  const named = names.flatMap((name) => stores.versions.get(namespace, name) ?? []);
  return {
    now: now(),
    job,
    pods: stores.exportPods.by("job", uidKey(namespace, uid)),
    volume: ownName === undefined ? undefined : stores.volumes.get(undefined, ownName),
    claim: ownName === undefined ? undefined : stores.claims.get(namespace, ownName),
    versions: [...new Set([...stores.versions.by("job", uidKey(namespace, uid)), ...named])],
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
    signal,
  );
  return node?.metadata.labels?.["kubernetes.io/hostname"];
}

/** One object, read directly; undefined when it does not exist. */
export async function find<T extends KubeObject>(
  api: ApiServer,
  resource: Resource,
  ref: ObjectRef,
  signal: AbortSignal,
): Promise<T | undefined> {
  try {
    return await get<T>(api, resource, ref, { signal });
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

async function jobOf(
  api: ApiServer,
  stores: Stores,
  pod: Pod,
  signal: AbortSignal,
): Promise<Job | undefined> {
  const owner = controllerOf(pod);
  if (owner === undefined) return undefined;
  const namespace = pod.metadata?.namespace;
  const [cached] = stores.exportJobs.by("uid", uidKey(namespace, owner.uid));
  if (cached !== undefined) return cached;
  // A job that came past the webhook has no label of ours yet, so no watch shows it.
  const ref = { namespace, name: owner.name };
  const job = await find<Job>(api, resources.jobs, ref, signal);
  return job?.metadata?.uid === owner.uid ? job : undefined;
}
