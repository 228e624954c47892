import type { Job } from "../api/kube-types.ts";
import { formatTime } from "../api/time.ts";
import type { Builder, BuildFailure } from "../builder/builder.ts";
import type { Action } from "./action.ts";
import { deleteJobs, livePod, podsOf, stopJobs } from "./modelversion-jobs.ts";
import {
  attemptText,
  backoffStatus,
  failedAt,
  failureReason,
  nextAttempt,
  retryingSince,
  succeededStatus,
  waitingStatus,
  withRetrying,
  writeStatus,
} from "./modelversion-status.ts";
import { event, fail, lookAgain } from "./modelversion-steps.ts";
import { imageOf, type ModelVersionObserved } from "./observed.ts";

/** Wait after the first failed attempt; doubled after each further one that counts, as long as they have lasted after others. */
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
  if (outcome.state === "failed") return attemptFailed(observed, job, outcome);
  const text = attemptText(observed);
  const message = outcome.message === undefined ? text : `${text}: ${outcome.message}`;
  return [...writeStatus(observed, waitingStatus(observed, "BuildStarted", message)), lookAgain()];
}

function attemptFailed(
  observed: ModelVersionObserved,
  job: Job,
  failure: BuildFailure,
): readonly Action[] {
  const { version, settings, now } = observed;
  const attempts = version.status?.attempts ?? 1;
  const { reason, retry } = failure;
  if (retry === "never" || (retry === "few" && attempts >= settings.maxAttempts)) {
    return [...fail(observed, reason, failure.message), ...stopJobs(observed)];
  }
  const since = retry === "endless" ? (retryingSince(observed) ?? now) : undefined;
  const ms = backoffMs(attempts, since === undefined ? undefined : now - since);
  const seconds = Math.round(ms / 1000);
  const message =
    since === undefined
      ? `${attemptText(observed)} failed, the next follows in ${seconds} s: ${failure.message}`
      : `attempts have failed since ${formatTime(since)} for a cause outside of the build, the next follows in ${seconds} s: ${failure.message}`;
  const status = backoffStatus(observed, reason, message);
  return [
    ...writeStatus(
      observed,
      withRetrying(observed, status, since === undefined ? undefined : reason),
    ),
    event(observed, "Warning", "BuildRetried", `${reason}: ${message}`),
    ...stopJobs(observed),
    // The last one tells all that the others do, and there is no end to them.
    ...(since === undefined ? [] : deleteJobs(observed.jobs.filter((each) => each !== job))),
    { type: "requeueAfter", ms },
  ];
}

/** Waits out the pause after a failed attempt, and until nothing of that attempt can push any more. */
export function backOff(observed: ModelVersionObserved): readonly Action[] {
  const failed = failedAt(observed);
  const since = retryingSince(observed);
  const lasting = since === undefined ? undefined : failed - since;
  const due = failed + backoffMs(observed.version.status?.attempts ?? 1, lasting);
  const left = due - observed.now;
  if (left > 0) return [...stopJobs(observed), { type: "requeueAfter", ms: left }];
  const live = livePod(observed);
  if (live === undefined) return writeStatus(observed, nextAttempt(observed));
  // A node that is lost keeps its pods until it comes back, or somebody removes it.
  const message = `${attemptText(observed)} failed, the next waits until pod ${live.metadata?.name} has ended`;
  const status = backoffStatus(observed, failureReason(observed), message);
  return [...writeStatus(observed, status), ...stopJobs(observed), lookAgain()];
}

function backoffMs(attempts: number, lastingMs: number | undefined): number {
  const ms = lastingMs ?? FIRST_BACKOFF_MS * 2 ** (attempts - 1);
  return Math.min(Math.max(ms, FIRST_BACKOFF_MS), LONGEST_BACKOFF_MS);
}
