import type { ExportIntent } from "../api/annotations.ts";
import { exportRecordOf } from "../api/export-record.ts";
import type { Job, Pod } from "../api/kube-types.ts";
import { parseTime } from "../api/time.ts";
import type { BuildSettings } from "../builder/builder.ts";
import { preflightJob, preflightOutcome, preflightRefusal } from "../builder/preflight.ts";
import type { OwningJob } from "../jobs/owner.ts";
import { refOf, warningOn, type Action } from "./action.ts";
import { noteRecord } from "./exporting-job.ts";

/** A running job that has been let go, and what came of the question whether its image could be pushed. */
export interface PreflightObserved extends OwningJob {
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly settings: BuildSettings;
  /** The Job that asks the registry, and its pods, while they are there. */
  readonly check: Job | undefined;
  readonly checkPods: readonly Pod[];
}

/** How long an answer is waited for: the check ends itself after 60 s, but its node may be lost, or somebody suspends it. */
const GIVE_UP_MS = 90_000;

/** How long after the end of the check its pod may take to show what it said. */
const LATE_MS = 5000;

/**
 * Asks the registry once, while a job trains, whether the image of its model could be pushed: a Warning on the job is heard hours
 * before the build would fail. A check that can not run says nothing, since the training must not suffer from it.
 */
export function reconcilePreflight(
  observed: PreflightObserved,
  intent: ExportIntent,
): readonly Action[] {
  const { job, settings, check, now } = observed;
  const record = exportRecordOf(job);
  if (record === undefined || record.preflight === "done") return [];
  const done = noteRecord(job, { ...record, preflight: "done" });
  const { apiVersion = "", kind = "" } = job;
  const { name = "", uid = "", namespace = "" } = job.metadata ?? {};
  const request = {
    owner: { apiVersion, kind, name, uid },
    namespace,
    imageRepo: intent.imageRepo,
    imageTag: intent.imageTag,
    pushSecret: intent.builder?.pushSecret?.name,
    settings,
  };
  const warn = ({ fault, message }: { fault: Parameters<typeof warningOn>[1]; message: string }) =>
    warningOn(refOf(job), fault, `the model could not be pushed now: ${message}`);
  const refusal = preflightRefusal(request);
  if (refusal !== undefined) return [warn(refusal), ...done];
  if (check === undefined) {
    // It is gone: its time was up, or somebody deleted it.
    if (record.preflight === "asked") return done;
    return [
      { type: "create", object: preflightJob(request), refused: done, namespaceEnds: [] },
      ...noteRecord(job, { ...record, preflight: "asked" }),
    ];
  }
  const { creationTimestamp } = check.metadata ?? {};
  const age = creationTimestamp === undefined ? 0 : now - parseTime(creationTimestamp);
  const outcome = preflightOutcome(check, observed.checkPods);
  if (outcome === "running" || outcome === "unknown") {
    const patience = outcome === "running" ? GIVE_UP_MS : LATE_MS + lifeOf(check);
    // One that runs for ever, since somebody suspended it, would keep its place in a queue or quota.
    const givenUp = outcome === "running" ? [{ type: "delete", ref: refOf(check) } as const] : [];
    return age > patience
      ? [...givenUp, ...done]
      : [{ type: "requeueAfter", ms: patience - age + 1000 }];
  }
  return outcome === "passed" ? done : [warn(outcome), ...done];
}

/** Milliseconds from the making of a Job to its end; 0 while it has none. */
function lifeOf({ metadata, status }: Job): number {
  const end = (status?.conditions ?? []).find(
    ({ type, status: value }) => value === "True" && (type === "Complete" || type === "Failed"),
  )?.lastTransitionTime;
  const begin = metadata?.creationTimestamp;
  return end === undefined || begin === undefined ? 0 : parseTime(end) - parseTime(begin);
}
