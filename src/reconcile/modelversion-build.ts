import { pinned, repositoryOf } from "../api/image-ref.ts";
import type { ModelVersionStatus } from "../api/modelversion.ts";
import type { Builder } from "../builder/builder.ts";
import type { VolumePlan } from "../storage/provider.ts";
import type { Action } from "./action.ts";
import { backOff, follow } from "./modelversion-attempt.ts";
import { nameFor } from "./location.ts";
import { currentJob, livePod, stopJobs } from "./modelversion-jobs.ts";
import { limitFaults } from "./modelversion-limits.ts";
import { specFaults, versionStorage } from "./modelversion-spec.ts";
import {
  attemptText,
  isRefused,
  stageOf,
  startedStatus,
  waitingStatus,
  withStorage,
  writeOrConfirm,
  writeStatus,
} from "./modelversion-status.ts";
import { createOrSay, event, fail, lookAgain } from "./modelversion-steps.ts";
import { prepareStorage } from "./modelversion-storage.ts";
import { imageOf, tagOf, type ModelVersionObserved } from "./observed.ts";
import { ownerOfImage, versionAhead } from "./rivals.ts";

/** Begins a build, the first or a retried one, by writing that down; nothing is made in the same pass. */
export function begin(observed: ModelVersionObserved): readonly Action[] {
  const { version } = observed;
  const faults = specFaults(version);
  if (faults.length > 0) return fail(observed, "InvalidObject", faults.join("; "));
  const image = imageOf(version) ?? "";
  if (tagOf(image) === undefined) {
    return fail(observed, "InvalidObject", `${JSON.stringify(image)} is not an image reference`);
  }
  const denied = limitFaults(observed);
  if (denied.length > 0) return fail(observed, "InvalidObject", denied.join("; "));
  const owner = ownerOfImage(observed);
  if (owner !== undefined) {
    const whose = nameFor(owner, version.metadata.namespace);
    return fail(observed, "TagTaken", `${image} belongs to ${whose}`);
  }
  const storage = prepareStorage(observed);
  if (storage.state === "refused") return fail(observed, storage.reason, storage.message);
  return [
    ...writeStatus(observed, startedStatus(observed)),
    event(observed, "Normal", "BuildStarted", `builds ${image}`),
  ];
}

/** Takes a build that has begun one step further. */
export function build(observed: ModelVersionObserved, builder: Builder): readonly Action[] {
  if (stageOf(observed) === "backoff") return backOff(observed);
  const job = currentJob(observed);
  if (job !== undefined) return follow(observed, builder, job);
  // Between two attempts, too, an administrator may tighten the limits.
  const denied = limitFaults(observed);
  if (denied.length > 0) return fail(observed, "InvalidObject", denied.join("; "));
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
  const busy = locationUser(observed);
  if (busy !== undefined) {
    const message = `${attemptText(observed)} waits for ${busy}`;
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
  const image = imageOf(version) ?? "";
  const plan = builder.plan({
    version,
    imageRepo: repositoryOf(image),
    imageTag: tagOf(image) ?? "",
    attempt: version.status?.startedAttempts ?? 1,
    volume,
    previous: previousImage(observed),
    nodeName: versionStorage(version)?.nodeName,
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
  const refusedStatus = (message: string): ModelVersionStatus =>
    waitingStatus(observed, "CreateRefused", `${attemptText(observed)}: ${message}`);
  return [
    // What was refused stays told until it is not refused any more.
    ...(isRefused(observed) ? writeOrConfirm(observed) : writeOrConfirm(observed, status)),
    ...plan.objects.map((object) => createOrSay(observed, object, refusedStatus)),
    lookAgain(),
  ];
}

/** The image whose layers may be the same: that of the model's latest version. */
function previousImage({ model }: ModelVersionObserved): string | undefined {
  const { imageName = "", digest } = model?.status?.latestVersion ?? {};
  const repository = repositoryOf(imageName);
  return repository === "" || digest === undefined ? undefined : pinned(repository, digest);
}

function notBound(observed: ModelVersionObserved, message: string): readonly Action[] {
  const { version } = observed;
  const written = writeStatus(observed, {
    ...withStorage(observed, version.status ?? {}, "StorageNotBound", message),
    message: `StorageNotBound: ${message}`,
  });
  return written.length === 0
    ? []
    : [...written, event(observed, "Warning", "StorageNotBound", message)];
}

/** Who keeps the build from reading its location now; a job that writes there would leave half of its model in the image. */
function locationUser(observed: ModelVersionObserved): string | undefined {
  const { writer } = observed;
  const ahead = versionAhead(observed);
  if (ahead !== undefined) {
    const name = nameFor(ahead, observed.version.metadata.namespace);
    return `${name}, which is built from the same location`;
  }
  return writer === undefined ? undefined : `${writer}, which writes to the same location`;
}
