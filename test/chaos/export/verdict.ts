import { problemOf, type Verdict } from "../verdict.ts";
import type { SeenJob, SeenVersion } from "./history.ts";

/** What a campaign left, and what was seen of it on the way. */
export interface Found {
  readonly jobs: readonly SeenJob[];
  readonly versions: readonly SeenVersion[];
  /** Objects that still carry our finalizer, or can not go, as `Kind/name: why`. */
  readonly held: readonly string[];
  /** Jobs that came to no end, and runs that could not be carried out, each in a sentence. */
  readonly unfinished: readonly string[];
}

/** How it went. */
interface ExportVerdict extends Verdict {
  /** Jobs of which there was a version. */
  readonly created: number;
  /** Versions beyond the first of a job, and versions of jobs that did not succeed. */
  readonly duplicates: number;
  /** Jobs that succeeded and of which there never was a version. */
  readonly lost: number;
  readonly finalizers: number;
}

/**
 * Judges a campaign by what was seen in the API alone. A job that its user deleted before it succeeded is let go at that moment;
 * if Kubernetes still calls it complete, one version is right, and none is, too.
 */
export function judge({ jobs, versions, held, unfinished }: Found): ExportVerdict {
  const byJob = Map.groupBy(versions, ({ jobUid }) => jobUid);
  const succeeded = new Map(jobs.filter((job) => job.succeeded).map((job) => [job.uid, job]));
  const duplicates = [...byJob].flatMap(([jobUid, made]) =>
    made.slice(succeeded.has(jobUid) ? 1 : 0).map(({ name, uid }) => {
      const job = jobs.find((each) => each.uid === jobUid);
      const why =
        job === undefined
          ? "no job that was seen"
          : job.succeeded
            ? "a job that has one already"
            : "a job that did not succeed";
      const whose = jobUid === "" ? "" : ` (job ${job?.name ?? "unknown"}, ${jobUid})`;
      return { run: job?.name ?? "", text: `ModelVersion ${name} (${uid}) is of ${why}${whose}` };
    }),
  );
  const lost = [...succeeded.values()]
    .filter((job) => !job.deletedFirst && !byJob.has(job.uid))
    .map(({ name, uid }) => ({
      run: name,
      text: `job ${name} (${uid}) succeeded and has no ModelVersion`,
    }));
  const problems = [...duplicates, ...lost, ...[...held, ...unfinished].map(problemOf)];
  const created = [...succeeded.keys()].filter((uid) => byJob.has(uid)).length;
  return {
    created,
    duplicates: duplicates.length,
    lost: lost.length,
    finalizers: held.length,
    problems,
    lastLine: `created ${created} duplicates ${duplicates.length} lost ${lost.length} finalizers ${held.length}`,
    ok: problems.length === 0 && created > 0,
  };
}
