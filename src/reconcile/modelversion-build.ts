import { repositoryOf } from "../api/image-ref.ts";
import type { Job } from "../api/kube-types.ts";
import { isBuilding, type ModelVersion } from "../api/modelversion.ts";
import type { Reason } from "../api/reasons.ts";
import type { Builder, BuildFailure } from "../builder/builder.ts";
import { storageOf } from "../storage/bound.ts";
import type { VolumePlan } from "../storage/provider.ts";
import { refOf, type Action } from "./action.ts";
import { currentJob, livePod, podsOf, stopJobs } from "./modelversion-jobs.ts";
import {
  attemptText,
  backoffStatus,
  failedAt,
  failedStatus,
  failureReason,
  nextAttempt,
  stageOf,
  startedStatus,
  succeededStatus,
  waitingStatus,
  withStorage,
  writeOrConfirm,
  writeStatus,
} from "./modelversion-status.ts";
import { prepareStorage } from "./modelversion-storage.ts";
import { imageOf, references, tagOf, type ModelVersionObserved } from "./observed.ts";
import { byAge } from "./order.ts";

/** Wait after the first failed attempt; doubled after each further one. */
const FIRST_BACKOFF_MS = 10_000;
const LONGEST_BACKOFF_MS = 600_000;

/** How often to look at what no watch reports: time itself, a user's claim, a node, a version of another namespace. */
const LOOK_AGAIN_MS = 15_000;

/** Begins a build, the first or a retried one, by writing that down; nothing is made in the same pass. */
export function begin(observed: ModelVersionObserved): readonly Action[] {
  const { version } = observed;
  const image = imageOf(version);
  if (tagOf(image) === undefined) {
    return fail(observed, "InvalidObject", `${JSON.stringify(image)} is not an image reference`);
  }
  const owner = observed.rivals.find((rival) => ownsImage(rival, version));
  if (owner !== undefined) {
    const { namespace, name } = owner.metadata;
    return fail(observed, "TagTaken", `${image} belongs to ModelVersion ${namespace}/${name}`);
  }
  const storage = prepareStorage(observed);
  if (storage.state === "refused") return fail(observed, storage.reason, storage.message);
  return [
    ...writeStatus(observed, startedStatus(observed)),
    event(version, "Normal", "BuildStarted", `builds ${image}`),
  ];
}

/** Takes a build that has begun one step further. */
export function build(observed: ModelVersionObserved, builder: Builder): readonly Action[] {
  if (stageOf(observed) === "backoff") return backOff(observed);
  const job = currentJob(observed);
  if (job !== undefined) return follow(observed, builder, job);
  const storage = prepareStorage(observed);
  switch (storage.state) {
    case "refused":
      return fail(observed, storage.reason, storage.message);
    case "waiting":
      return [
        ...(storage.actions.length === 0 ? [] : writeOrConfirm(observed)),
        ...storage.actions,
        ...(storage.message === undefined ? [] : notBound(observed, storage.message)),
        lookAgain(),
      ];
    case "ready":
      return attempt(observed, builder, storage.plan, storage.bound);
  }
}

/** Makes the Job of the attempt that the status names. */
function attempt(
  observed: ModelVersionObserved,
  builder: Builder,
  volume: VolumePlan,
  bound: boolean,
): readonly Action[] {
  const { version, settings } = observed;
  const busy = observed.rivals.filter((rival) => isAhead(rival, version)).toSorted(byAge)[0];
  if (busy !== undefined) {
    const message = `${attemptText(observed)} waits for ModelVersion ${busy.metadata.namespace}/${busy.metadata.name}, which is built from the same location`;
    return [
      ...writeStatus(observed, waitingStatus(observed, "LocationBusy", message)),
      lookAgain(),
    ];
  }
  const live = livePod(observed);
  if (live !== undefined) {
    const message = `${attemptText(observed)} waits until pod ${live.metadata?.name} has ended`;
    const status = waitingStatus(observed, "BuildStarted", message);
    return [...writeStatus(observed, status), ...stopJobs(observed), lookAgain()];
  }
  const image = imageOf(version);
  const plan = builder.plan({
    version,
    imageRepo: repositoryOf(image),
    imageTag: tagOf(image) ?? "",
    attempt: version.status?.startedAttempts ?? 1,
    volume,
    nodeName: storageOf(version.spec.storage)?.nodeName,
    settings,
  });
  if (plan.state === "refused") return fail(observed, plan.reason, plan.message);
  const waiting = waitingStatus(observed, "BuildStarted", attemptText(observed));
  const status = bound
    ? withStorage(observed, waiting, "StorageBound", `claim ${volume.claimName} is bound`)
    : withStorage(
        observed,
        waiting,
        "StorageNotBound",
        `claim ${volume.claimName} waits for a pod`,
      );
  return [
    ...writeOrConfirm(observed, status),
    ...plan.objects.map((object): Action => ({ type: "create", object })),
    lookAgain(),
  ];
}

/** Watches the attempt's Job, and writes down how it ends. */
function follow(observed: ModelVersionObserved, builder: Builder, job: Job): readonly Action[] {
  const { version, now, events } = observed;
  const outcome = builder.outcome({ now, job, pods: podsOf(job, observed.pods), events });
  if (outcome.state === "succeeded") {
    const { digest, files, size } = outcome.image;
    const message = `${imageOf(version)}@${digest}: ${files} files, ${size} bytes`;
    return [
      ...writeStatus(observed, succeededStatus(observed, outcome.image)),
      event(version, "Normal", "BuildSucceeded", message),
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
    event(version, "Warning", "BuildRetried", `${reason}: ${message}`),
    ...stopJobs(observed),
    { type: "requeueAfter", ms },
  ];
}

/** Waits out the pause after a failed attempt, and until nothing of that attempt can push any more. */
function backOff(observed: ModelVersionObserved): readonly Action[] {
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

function fail(observed: ModelVersionObserved, reason: Reason, message: string): readonly Action[] {
  return [
    ...writeStatus(observed, failedStatus(observed, reason, message)),
    event(observed.version, "Warning", reason, message),
  ];
}

function notBound(observed: ModelVersionObserved, message: string): readonly Action[] {
  const { version } = observed;
  const written = writeStatus(observed, {
    ...withStorage(observed, version.status ?? {}, "StorageNotBound", message),
    message: `StorageNotBound: ${message}`,
  });
  return written.length === 0
    ? []
    : [...written, event(version, "Warning", "StorageNotBound", message)];
}

/** A version that has the image, or is going to: it began, or it is the older of two that have not. */
function ownsImage(rival: ModelVersion, version: ModelVersion): boolean {
  if (!isRival(rival, version) || imageOf(rival) !== imageOf(version)) return false;
  switch (rival.status?.imageBuildPhase) {
    case "ImageBuilding":
    case "ImageBuildSucceeded":
      return true;
    case "ImageBuildFailed":
      return false;
    case undefined:
      return byAge(rival, version) < 0;
  }
}

/** A version over the same location whose turn comes first; oldest first, so that no two wait for each other. */
function isAhead(rival: ModelVersion, version: ModelVersion): boolean {
  const { location } = references(version);
  return (
    isRival(rival, version) &&
    isBuilding(rival) &&
    references(rival).location === location &&
    byAge(rival, version) < 0
  );
}

function isRival({ metadata }: ModelVersion, version: ModelVersion): boolean {
  return metadata.uid !== version.metadata.uid && metadata.deletionTimestamp === undefined;
}

function event(
  version: ModelVersion,
  kind: "Normal" | "Warning",
  reason: Reason,
  message: string,
): Action {
  return { type: "event", ref: refOf(version), kind, reason, message };
}

function lookAgain(): Action {
  return { type: "requeueAfter", ms: LOOK_AGAIN_MS };
}
