import { limitsOf } from "../admission/policy.ts";
import { LABELS } from "../api/annotations.ts";
import type { KubeObject, PersistentVolumeClaim, Pod } from "../api/kube-types.ts";
import type { Model } from "../api/model.ts";
import { isBuilding, type ModelVersion } from "../api/modelversion.ts";
import { storedSpec } from "../api/stored-spec.ts";
import { parseTime } from "../api/time.ts";
import { controllerOf } from "../jobs/owner.ts";
import { listAll } from "../kube/list.ts";
import { resources } from "../kube/resources.ts";
import { find } from "../kube/write.ts";
import { lateWriters, writersBesides } from "../reconcile/location.ts";
import { attemptsOf, podsOfAttempts } from "../reconcile/modelversion-jobs.ts";
import {
  references,
  type ModelObserved,
  type ModelVersionObserved,
} from "../reconcile/observed.ts";
import { hostnameOf, type Sources } from "./exporting.ts";
import { observeLocation } from "./location.ts";
import { uidKey } from "./version-store.ts";

/** An Event of events.k8s.io/v1, the fields that are read. */
interface ReadEvent extends KubeObject {
  readonly reason?: string;
  readonly note?: string;
  readonly eventTime?: string | null;
  /** Set, instead of eventTime, by those who write the older kind of Event. */
  readonly deprecatedLastTimestamp?: string | null;
}

/** Everything that is known of a version. */
export async function observeVersion(
  sources: Sources,
  version: ModelVersion,
  signal: AbortSignal,
): Promise<ModelVersionObserved> {
  const { api, stores, now } = sources;
  const { policy, build: settings } = sources.limits();
  const { namespace = "", uid = "" } = version.metadata;
  const wanted = references(version);
  const key = uidKey(namespace, uid);
  const jobs = attemptsOf(version, stores.buildJobs.by("version", key));
  const pods = podsOfAttempts(version, stores.buildPods.by("version", key)).toSorted(newestFirst);
  const hostname =
    wanted.nodeName === undefined || !isBuilding(version)
      ? undefined
      : await hostnameOf(api, wanted.nodeName, signal);
  const claim = await claimOf(sources, version, wanted.claimName, signal);
  const volume =
    wanted.volumeName === undefined ? undefined : stores.volumes.get(undefined, wanted.volumeName);
  const model = stores.models.get(namespace, storedSpec(version).modelName ?? "");
  const events = await eventsOf(sources, version, pods, signal);
  const writer = writerAt(sources, version, wanted.location);
  const rivals = [
    ...stores.versions.by("location", wanted.location ?? ""),
    ...stores.versions.by("image", wanted.image ?? ""),
  ].filter(({ metadata }) => metadata.uid !== uid);
  return {
    now: now(),
    version,
    settings,
    limits: limitsOf(policy, namespace),
    jobs,
    pods,
    events,
    rivals: [...new Set(rivals)],
    ...(hostname === undefined ? {} : { hostname }),
    ...(claim === undefined ? {} : { claim }),
    ...(volume === undefined ? {} : { volume }),
    ...(writer === undefined ? {} : { writer }),
    ...(model === undefined ? {} : { model }),
  };
}

/** Everything that is known of a model. */
export function observeModel({ stores, now }: Sources, model: Model): ModelObserved {
  const { namespace, name } = model.metadata;
  const targets = new Set(Object.values(model.spec?.aliases ?? {}));
  return {
    now: now(),
    model,
    versions: stores.versions.by("model", `${namespace}/${name}`),
    aliased: [...targets].flatMap((target) => stores.versions.get(namespace, target) ?? []),
  };
}

function writerAt(
  { stores, limits, now }: Sources,
  version: ModelVersion,
  location: string | undefined,
): string | undefined {
  if (location === undefined) return undefined;
  const { namespace, labels } = version.metadata;
  const job = { uid: labels?.[LABELS.jobUid], namespace };
  const observed = observeLocation(stores, limits().policy, location);
  return writersBesides(job, observed)[0] ?? lateWriters(version, observed, now())[0];
}

/** The user's claim is none that we watch, so it is read directly; what is built, or failed, needs it no more. */
async function claimOf(
  { api, stores }: Sources,
  version: ModelVersion,
  claimName: string | undefined,
  signal: AbortSignal,
): Promise<PersistentVolumeClaim | undefined> {
  const { namespace = "" } = version.metadata;
  if (claimName === undefined) return undefined;
  if (storedSpec(version).storage?.persistentVolumeClaim === undefined) {
    return stores.claims.get(namespace, claimName);
  }
  return isBuilding(version)
    ? find(api, resources.persistentvolumeclaims, { namespace, name: claimName }, { signal })
    : undefined;
}

/** Events of the current attempt, read only while they may say why its pod does not start. */
async function eventsOf(
  { api, stores }: Sources,
  version: ModelVersion,
  pods: readonly Pod[],
  signal: AbortSignal,
): Promise<ModelVersionObserved["events"]> {
  const { namespace, uid } = version.metadata;
  const job = stores.buildJobs.get(namespace, version.status?.builderJob ?? "");
  const pod = pods.find((each) => controllerOf(each)?.uid === job?.metadata?.uid);
  if (job === undefined || uid === undefined || !isBuilding(version) || hasStarted(pod)) return [];
  const uids = [job, pod].flatMap((object) => object?.metadata?.uid ?? []);
  const listings = await Promise.all(
    uids.map(async (each) =>
      listAll<ReadEvent>(api, resources.events, {
        namespace,
        fieldSelector: `regarding.uid=${each}`,
        signal,
      }),
    ),
  );
  return listings
    .flatMap(({ items }) => items)
    .toSorted((a, b) => timeOf(a) - timeOf(b))
    .map(({ reason = "", note = "" }) => ({ reason, message: note }));
}

function hasStarted(pod: Pod | undefined): boolean {
  const { initContainerStatuses = [], containerStatuses = [] } = pod?.status ?? {};
  return [...initContainerStatuses, ...containerStatuses].some(
    ({ state }) => state?.running !== undefined || state?.terminated !== undefined,
  );
}

function timeOf({ eventTime, deprecatedLastTimestamp, metadata }: ReadEvent): number {
  const text = deprecatedLastTimestamp ?? eventTime ?? metadata?.creationTimestamp;
  return text === undefined ? 0 : parseTime(text);
}

function newestFirst(a: Pod, b: Pod): number {
  const [timeA, timeB] = [a, b].map((pod) => parseTime(pod.metadata?.creationTimestamp ?? ""));
  return (timeB ?? 0) - (timeA ?? 0);
}
