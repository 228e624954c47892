import type { KubeObject, Pod } from "../api/kube-types.ts";
import { isBuilding, type ModelVersion } from "../api/modelversion.ts";
import { EXPORT_VOLUME } from "../inject/completion-hook.ts";
import { LABELS } from "../api/annotations.ts";
import { parseTime } from "../api/time.ts";
import { exportRecordOf } from "../api/export-record.ts";
import { outcomeOf } from "../jobs/outcome.ts";
import type { OwningJob } from "../jobs/owner.ts";
import { exportIntentOf, jobUidOf } from "./exporting-job.ts";

/** A job that is held by our finalizer, with what shows whether it has begun to write. */
export interface Exporter extends OwningJob {
  readonly pods: readonly Pod[];
  /** Volume or claim that we made for its pods; undefined while there is none. */
  readonly storage: KubeObject | undefined;
}

/** Everything that uses one location, or wants to. */
export interface LocationObserved {
  readonly versions: readonly ModelVersion[];
  readonly exporters: readonly Exporter[];
  /** Pods that export to it, of whatever job. */
  readonly pods: readonly Pod[];
  /** The job that was let go last, for as long as the rest may not show that yet. */
  readonly turn: KubeObject | undefined;
}

/**
 * Who keeps a job from writing, by names for people. A location belongs to one job from the moment it is let go until it is a
 * ModelVersion (or came to nothing), then to the build; the next job would overwrite what is being copied. A job that has begun
 * waits for nobody, so no two wait for each other.
 */
export function usersBesides(job: KubeObject, observed: LocationObserved): readonly string[] {
  const { exporters, versions } = observed;
  const uid = job.metadata?.uid;
  const own = exporters.find((each) => each.job.metadata?.uid === uid);
  if (own !== undefined && hasBegun(own)) return [];
  const builds = versions
    .filter((version) => isBuilding(version))
    .map((version) => `the build of ${nameFor(version, job.metadata?.namespace)}`);
  return [...builds, ...writersBesides(job.metadata, observed)];
}

/** Who else than that job may write now, by names for people of its namespace. */
export function writersBesides(
  {
    uid: jobUid,
    namespace,
  }: { readonly uid?: string | undefined; readonly namespace?: string | undefined } = {},
  { exporters, pods, turn }: LocationObserved,
): readonly string[] {
  const jobs = [
    ...exporters.filter((each) => hasBegun(each)).map(({ job }) => job),
    ...(turn === undefined ? [] : [turn]),
  ].filter(({ metadata }) => metadata?.uid !== jobUid);
  const named = new Set([jobUid, ...jobs.map(({ metadata }) => metadata?.uid)]);
  // A job that was deleted is let go at once, but its pods have their time to end.
  const left = pods.filter((pod) => mayWrite(pod) && !named.has(jobUidOf(pod)));
  return [...new Set([...jobs, ...left].map((each) => nameFor(each, namespace)))];
}

/** How long a build waits for pods of the very job that it comes from: longer than a program takes that saves its model. */
const SETTLE_MS = 600_000;

/**
 * Pods of the job that a version comes from which may still write, though the job has succeeded: other workers than the one whose
 * end counts. The build waits for them for a while after the version was made; there are pods that never end.
 */
export function lateWriters(
  { metadata }: ModelVersion,
  { pods }: Pick<LocationObserved, "pods">,
  now: number,
): readonly string[] {
  const uid = metadata.labels?.[LABELS.jobUid];
  const { creationTimestamp, namespace } = metadata;
  if (uid === undefined || creationTimestamp === undefined) return [];
  if (now - parseTime(creationTimestamp) > SETTLE_MS) return [];
  return pods
    .filter((pod) => mayWrite(pod) && jobUidOf(pod) === uid)
    .map((pod) => nameFor(pod, namespace));
}

/** The claim that an exporting pod writes to; undefined for the other replicas, which have scratch space. */
export function exportClaimOf(pod: Pod): string | undefined {
  const volume = pod.spec?.volumes?.find(({ name }) => name === EXPORT_VOLUME);
  return volume?.persistentVolumeClaim?.claimName;
}

/** True for a pod of which what it writes is kept. */
export function isWriter(pod: Pod): boolean {
  return exportClaimOf(pod) !== undefined;
}

/**
 * True from the moment a job is let go. Its storage is made when its turn has come, then it is noted on the job, then the gates go;
 * of a job that an earlier release let go there is no note, but its pods have no gate.
 */
export function hasBegun({ job, kind, pods, storage }: Exporter): boolean {
  if (storage !== undefined || exportRecordOf(job) !== undefined) return true;
  // It has ended, and its version is not there yet.
  if (outcomeOf(kind, job) !== "running") return true;
  const isUserClaim = exportIntentOf({ job, kind })?.storage.persistentVolumeClaim !== undefined;
  return isUserClaim && pods.some((pod) => isWriter(pod) && !isGated(pod));
}

function isGated({ spec }: Pod): boolean {
  return (spec?.schedulingGates ?? []).length > 0;
}

function mayWrite(pod: Pod): boolean {
  return isWriter(pod) && pod.status?.phase === "Running";
}

/** An object as people of a namespace may know it: what others call theirs is nobody's business. */
export function nameFor({ kind, metadata }: KubeObject, namespace: string | undefined): string {
  return metadata?.namespace === namespace
    ? `${kind} ${metadata?.name}`
    : `a ${kind} of another namespace`;
}
