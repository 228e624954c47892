import type { Policy } from "../admission/policy.ts";
import { limitsOf } from "../admission/policy.ts";
import type { Job, KubeObject, ObjectMeta, Pod } from "../api/kube-types.ts";
import { isBuilding } from "../api/modelversion.ts";
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
import { locationOf, type Stores } from "./stores.ts";

/** Where observations come from. */
export interface Sources {
  readonly api: ApiServer;
  readonly stores: Stores;
  readonly policy: Policy;
}

/** What the gate of an exporting pod depends on. */
export async function observeExportingPod(
  { api, stores, policy }: Sources,
  pod: Pod,
  signal: AbortSignal,
): Promise<ExportingPodObserved> {
  const namespace = pod.metadata?.namespace ?? "";
  const job = await jobOf(api, stores, pod, signal);
  const intent = job === undefined ? undefined : exportIntentOf(job);
  const nothing = { hostname: undefined, volume: undefined, claim: undefined, users: [] };
  const base = { pod, job, limits: limitsOf(policy, namespace) };
  if (job === undefined || intent === undefined || storageOf(intent.storage) === undefined) {
    return { ...base, ...nothing };
  }
  const uid = job.metadata?.uid ?? "";
  const { bound, location } = trainingStorage(intent, { namespace, uid });
  const ownName = trainingClaimName(namespace, uid, location);
  const userClaim = intent.storage.persistentVolumeClaim?.claimName;
  return {
    ...base,
    hostname:
      bound.nodeName === undefined ? undefined : await hostnameOf(api, bound.nodeName, signal),
    volume: stores.volumes.get(undefined, ownName),
    claim:
      userClaim === undefined
        ? stores.claims.get(namespace, ownName)
        : await find(api, resources.persistentvolumeclaims, { namespace, name: userClaim }, signal),
    users: usersOf(stores, location, uid),
  };
}

/** What came of an exporting job. */
export function observeCompletion({ stores }: Sources, job: Job): CompletionObserved {
  const { namespace = "", uid = "" } = job.metadata ?? {};
  const intent = exportIntentOf(job);
  const location = locationOf(job);
  const ownName = location === undefined ? undefined : trainingClaimName(namespace, uid, location);
  const names = intent === undefined ? [] : exportedVersionNames(intent.modelName, uid);
  const named = names.flatMap((name) => stores.versions.get(namespace, name) ?? []);
  return {
    job,
    pods: stores.exportPods.by("job", uid),
    volume: ownName === undefined ? undefined : stores.volumes.get(undefined, ownName),
    claim: ownName === undefined ? undefined : stores.claims.get(namespace, ownName),
    versions: [...new Set([...stores.versions.by("job", uid), ...named])],
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
  const [cached] = stores.exportJobs.by("uid", owner.uid);
  if (cached !== undefined) return cached;
  // A job that came past the webhook has no label of ours yet, so no watch shows it.
  const ref = { namespace: pod.metadata?.namespace, name: owner.name };
  const job = await find<Job>(api, resources.jobs, ref, signal);
  return job?.metadata?.uid === owner.uid ? job : undefined;
}

/** Builds that read the location now, and other jobs whose pods were let go to write there. */
function usersOf(stores: Stores, location: string, jobUid: string): readonly string[] {
  const builds = stores.versions
    .by("location", location)
    .filter((version) => isBuilding(version))
    .map(({ metadata }) => `the build of ModelVersion ${metadata.namespace}/${metadata.name}`);
  const jobs = stores.exportJobs
    .by("location", location)
    .filter(({ metadata }) => metadata?.uid !== jobUid)
    .filter(({ metadata }) => stores.exportPods.by("job", metadata?.uid ?? "").some(mayWrite))
    .map(({ kind, metadata }) => `${kind} ${metadata?.namespace}/${metadata?.name}`);
  return [...builds, ...jobs];
}

function mayWrite({ spec, status }: Pod): boolean {
  const hasEnded = status?.phase === "Succeeded" || status?.phase === "Failed";
  return !hasEnded && (spec?.schedulingGates ?? []).length === 0;
}
