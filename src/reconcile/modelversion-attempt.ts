import type { Job } from "../api/kube-types.ts";
import type { Builder, BuildFailure } from "../builder/builder.ts";
import type { Action } from "./action.ts";
import { livePod, podsOf, stopJobs } from "./modelversion-jobs.ts";
import {
  attemptText,
  backoffStatus,
  failedAt,
  failureReason,
  nextAttempt,
  succeededStatus,
  waitingStatus,
  writeStatus,
} from "./modelversion-status.ts";
import { event, fail, lookAgain } from "./modelversion-steps.ts";
import { imageOf, type ModelVersionObserved } from "./observed.ts";

/** Wait after the first failed attempt; doubled after each further one. */
const FIRST_BACKOFF_MS = 10_000;
const LONGEST_BACKOFF_MS = 600_000;

/** Watches the attempt's Job, and writes down how it ends. */
export function follow(
  observed: ModelVersionObserved,
  builder: Builder,
  job: Job,
): readonly Action[] {
  const { version, now, events } = observed;
  const outcome = builder.outcome({ now, job, pods: podsOf(job, observed.pods), events });
  if (outcome.state === "succeeded") {
    const { digest, files, size } = outcome.image;
    const message = `${imageOf(version)}@${digest}: ${files} files, ${size} bytes`;
    return [
      ...writeStatus(observed, succeededStatus(observed, outcome.image)),
      event(observed, "Normal", "BuildSucceeded", message),
    ];
  }
  // Somebody deletes it: it is made again when it is gone, for the same attempt.
  if (job.metadata?.deletionTimestamp !== undefined) return [lookAgain()];
  if (outcome.state === "failed") return attemptFailed(observed, outcome);
  const text = attemptText(observed);
  const message = outcome.message === undefined ? text : `${text}: ${outcome.message}`;
  return [...writeStatus(observed, waitingStatus(observed, "BuildStarted", message)), lookAgain()];
}

function attemptFailed(observed: ModelVersionObserved, failure: BuildFailure): readonly Action[] {
  const { version, settings } = observed;
  const attempts = version.status?.attempts ?? 1;
  const { reason, transient } = failure;
  if (!transient || attempts >= settings.maxAttempts) {
    return [...fail(observed, reason, failure.message), ...stopJobs(observed)];
  }
  const ms = backoffMs(attempts);
  const message = `${attemptText(observed)} failed, the next follows in ${ms / 1000} s: ${failure.message}`;
  return [
    ...writeStatus(observed, backoffStatus(observed, reason, message)),
    event(observed, "Warning", "BuildRetried", `${reason}: ${message}`),
    ...stopJobs(observed),
    { type: "requeueAfter", ms },
  ];
}

/** Waits out the pause after a failed attempt, and until nothing of that attempt can push any more. */
export function backOff(observed: ModelVersionObserved): readonly Action[] {
  const due = failedAt(observed) + backoffMs(observed.version.status?.attempts ?? 1);
  const left = due - observed.now;
  if (left > 0) return [...stopJobs(observed), { type: "requeueAfter", ms: left }];
  const live = livePod(observed);
  if (live === undefined) return writeStatus(observed, nextAttempt(observed));
  // A node that is lost keeps its pods until it comes back, or somebody removes it.
  const message = `${attemptText(observed)} failed, the next waits until pod ${live.metadata?.name} has ended`;
  const status = backoffStatus(observed, failureReason(observed), message);
  return [...writeStatus(observed, status), ...stopJobs(observed), lookAgain()];
}

function backoffMs(attempts: number): number {
  return Math.min(FIRST_BACKOFF_MS * 2 ** (attempts - 1), LONGEST_BACKOFF_MS);
}
