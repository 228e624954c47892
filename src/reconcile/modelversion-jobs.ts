import type { Job, Pod } from "../api/kube-types.ts";
import type { ModelVersion } from "../api/modelversion.ts";
import { buildJobName } from "../api/names.ts";
import { controllerOf } from "../jobs/owner.ts";
import { refOf, type Action } from "./action.ts";
import type { ModelVersionObserved } from "./observed.ts";

/** The Jobs that are attempts of the version, and none that only carries its label: their pods say what its image is. */
export function attemptsOf({ metadata }: ModelVersion, jobs: readonly Job[]): readonly Job[] {
  return jobs.filter(
    (job) =>
      controllerOf(job)?.uid === metadata.uid && isAttemptName(metadata.uid, job.metadata?.name),
  );
}

/** The pods of such Jobs, also of those that are gone already. */
export function podsOfAttempts({ metadata }: ModelVersion, pods: readonly Pod[]): readonly Pod[] {
  return pods.filter((pod) => {
    const owner = controllerOf(pod);
    return owner?.kind === "Job" && isAttemptName(metadata.uid, owner.name);
  });
}

/** The Job of the attempt that the status names, absent when it is not made yet, or gone. */
export function currentJob({ version, jobs }: ModelVersionObserved): Job | undefined {
  return jobs.find(({ metadata }) => metadata?.name === version.status?.builderJob);
}

/** Pods of a Job, in the order of the list; by UID, since a Job that is made again keeps its name. */
export function podsOf(job: Job, pods: readonly Pod[]): readonly Pod[] {
  return pods.filter((pod) => controllerOf(pod)?.uid === job.metadata?.uid);
}

/** A pod of any attempt that may still push: until it has ended no other attempt may begin. */
export function livePod({ pods }: ModelVersionObserved): Pod | undefined {
  return pods.find((pod) => !isOver(pod));
}

/** Deletes the Jobs that may still do something; finished ones stay, so that their logs can be read. */
export function stopJobs({ jobs, pods }: ModelVersionObserved): readonly Action[] {
  return deleteJobs(
    jobs.filter((job) => {
      const own = podsOf(job, pods);
      return !isFinished(job) && (own.length === 0 || own.some((pod) => !isOver(pod)));
    }),
  );
}

/** Deletes Jobs, and by the propagation of every delete of ours their pods. */
export function deleteJobs(jobs: readonly Job[]): readonly Action[] {
  return jobs
    .filter(({ metadata }) => metadata?.deletionTimestamp === undefined)
    .map((job) => ({ type: "delete", ref: refOf(job) }));
}

function isAttemptName(versionUid: string | undefined, name = ""): boolean {
  const attempt = Number(name.slice(name.lastIndexOf("-") + 1));
  return versionUid !== undefined && name === buildJobName(versionUid, attempt);
}

function isFinished({ status }: Job): boolean {
  return (status?.conditions ?? []).some(
    (condition) =>
      condition.status === "True" && (condition.type === "Complete" || condition.type === "Failed"),
  );
}

function isOver({ status }: Pod): boolean {
  return status?.phase === "Succeeded" || status?.phase === "Failed";
}
