import { VERSION_ANNOTATIONS } from "../api/annotations.ts";
import type { BuiltImage } from "../api/build-report.ts";
import { findCondition, setCondition, type Condition } from "../api/conditions.ts";
import type { ModelVersionStatus } from "../api/modelversion.ts";
import { buildJobName } from "../api/names.ts";
import type { Reason } from "../api/reasons.ts";
import { formatTime, parseTime } from "../api/time.ts";
import { refOf, type Action } from "./action.ts";
import { isEqual } from "./equal.ts";
import { imageOf, type ModelVersionObserved } from "./observed.ts";

/**
 * Where a build stands, as its status says it. `Built` tells the states of the phase ImageBuilding apart, and its transition
 * time is when an attempt failed, so nothing has to be remembered anywhere else.
 *
 * | imageBuildPhase | Built | meaning |
 * | --- | --- | --- |
 * | absent | | not begun, nothing was made |
 * | ImageBuilding | Unknown | attempt `attempts` is to run or runs, as Job `builderJob` |
 * | ImageBuilding | False | that attempt failed; another follows after a while |
 * | ImageBuildSucceeded | True | digest recorded, for ever |
 * | ImageBuildFailed | False | until the retry annotation changes |
 *
 * `Retrying` is True as long as attempts fail for causes outside of the build: they do not count, and its transition time is
 * when that began.
 */
export type BuildStage = "attempt" | "backoff";

const RETRYING = "Retrying";

/** The stage of a version in phase ImageBuilding. */
export function stageOf({ version }: ModelVersionObserved): BuildStage {
  return built(version.status)?.status === "False" ? "backoff" : "attempt";
}

/** When the last attempt failed, in milliseconds since the epoch. */
export function failedAt({ version, now }: ModelVersionObserved): number {
  const time = parseTime(built(version.status)?.lastTransitionTime ?? "");
  return Number.isNaN(time) ? now : time;
}

/** Since when attempts fail for causes outside of the build, in milliseconds since the epoch; undefined when the last did not. */
export function retryingSince({ version, now }: ModelVersionObserved): number | undefined {
  const condition = findCondition(version.status?.conditions, RETRYING);
  if (condition === undefined) return undefined;
  const time = parseTime(condition.lastTransitionTime);
  return Number.isNaN(time) ? now : time;
}

/** Why the last attempt failed. */
export function failureReason({ version }: ModelVersionObserved): Reason {
  return (built(version.status)?.reason ?? "Unknown") as Reason;
}

/** `attempt 2 of 5`. */
export function attemptText({ version, settings }: ModelVersionObserved): string {
  return `attempt ${version.status?.attempts ?? 1} of ${settings.maxAttempts}`;
}

/** The build begins, or begins again: the first attempt, numbered on from those that were ever made. */
export function startedStatus(observed: ModelVersionObserved): ModelVersionStatus {
  const { version } = observed;
  const { finishTime: _, ...kept } = version.status ?? {};
  return nextAttempt(observed, {
    ...withRetrying(observed, kept, undefined),
    image: imageOf(version),
    imageBuildPhase: "ImageBuilding",
    retry: version.metadata.annotations?.[VERSION_ANNOTATIONS.retry],
    attempts: 0,
  });
}

/** Another attempt begins. */
export function nextAttempt(
  observed: ModelVersionObserved,
  before: ModelVersionStatus = observed.version.status ?? {},
): ModelVersionStatus {
  const { version, settings } = observed;
  const isCounted = findCondition(before.conditions, RETRYING) === undefined;
  const attempts = (before.attempts ?? 0) + (isCounted ? 1 : 0);
  const startedAttempts = (before.startedAttempts ?? 0) + 1;
  const status: ModelVersionStatus = {
    ...before,
    attempts,
    startedAttempts,
    builderJob: buildJobName(version.metadata.uid ?? "", startedAttempts),
  };
  const message = `attempt ${attempts} of ${settings.maxAttempts}`;
  return withBuilt(observed, status, "Unknown", "BuildStarted", message);
}

/** The attempt is under way or waits; the message says for what. */
export function waitingStatus(
  observed: ModelVersionObserved,
  reason: "BuildStarted" | "LocationBusy" | "CreateRefused",
  message: string,
): ModelVersionStatus {
  return withBuilt(observed, observed.version.status ?? {}, "Unknown", reason, message);
}

/** True when the API server refused the attempt's Job the last time. */
export function isRefused({ version }: ModelVersionObserved): boolean {
  return built(version.status)?.reason === "CreateRefused";
}

/** The attempt failed, and another follows. */
export function backoffStatus(
  observed: ModelVersionObserved,
  reason: Reason,
  message: string,
): ModelVersionStatus {
  return withBuilt(observed, observed.version.status ?? {}, "False", reason, message);
}

/** The status with the cause outside of the build for which attempts fail, or without one. */
export function withRetrying(
  { version, now }: ModelVersionObserved,
  status: ModelVersionStatus,
  reason: Reason | undefined,
): ModelVersionStatus {
  const { conditions } = status;
  if (reason === undefined) {
    if (findCondition(conditions, RETRYING) === undefined) return status;
    return { ...status, conditions: (conditions ?? []).filter(({ type }) => type !== RETRYING) };
  }
  const next = {
    type: RETRYING,
    status: "True" as const,
    reason,
    message: "the build is tried again until this is over",
    observedGeneration: version.metadata.generation,
  };
  return { ...status, conditions: inOrder(setCondition(conditions, next, now)) };
}

/** The build failed for good. */
export function failedStatus(
  observed: ModelVersionObserved,
  reason: Reason,
  message: string,
): ModelVersionStatus {
  const { version, now } = observed;
  // Who asks again while it is built gets another build; who asked for one that can not begin has been answered.
  const hasBegun =
    version.status?.imageBuildPhase === "ImageBuilding" &&
    version.status.observedGeneration !== undefined;
  const status: ModelVersionStatus = {
    ...withRetrying(observed, version.status ?? {}, undefined),
    image: imageOf(version),
    imageBuildPhase: "ImageBuildFailed",
    finishTime: formatTime(now),
    retry: hasBegun
      ? version.status?.retry
      : version.metadata.annotations?.[VERSION_ANNOTATIONS.retry],
  };
  return withBuilt(observed, status, "False", reason, message);
}

/** The image is pushed and verified. */
export function succeededStatus(
  observed: ModelVersionObserved,
  image: BuiltImage,
): ModelVersionStatus {
  const status: ModelVersionStatus = {
    ...withRetrying(observed, observed.version.status ?? {}, undefined),
    imageBuildPhase: "ImageBuildSucceeded",
    finishTime: formatTime(observed.now),
    digest: image.digest,
    size: image.size,
    files: image.files,
    layers: image.layers.map((layer) => ({ ...layer })),
    shell: image.shell,
    layout: image.layout,
  };
  const message = `${image.files} files of ${image.size} bytes are in the image`;
  return withStorage(
    observed,
    withBuilt(observed, status, "True", "BuildSucceeded", message),
    "StorageBound",
    "the build has read it",
  );
}

/** The status with what is known of the storage. */
export function withStorage(
  { version, now }: ModelVersionObserved,
  status: ModelVersionStatus,
  reason: "StorageBound" | "StorageNotBound" | "CreateRefused",
  message: string,
): ModelVersionStatus {
  const next = {
    type: "StorageReady",
    status: reason === "StorageBound" ? ("True" as const) : ("False" as const),
    reason,
    message,
    observedGeneration: version.metadata.generation,
  };
  return {
    ...status,
    conditions: inOrder(setCondition(status.conditions, next, now)),
  };
}

/** The same status for a newer generation: only createdBy can have changed since the build began. */
export function currentStatus({ version }: ModelVersionObserved): ModelVersionStatus {
  const { generation } = version.metadata;
  const { conditions = [] } = version.status ?? {};
  return {
    ...version.status,
    observedGeneration: generation,
    conditions: conditions.map((condition) => forGeneration(condition, generation)),
  };
}

/** Writes the status, unless it says what is there already. */
export function writeStatus(
  { version }: ModelVersionObserved,
  status: ModelVersionStatus,
): readonly Action[] {
  if (isEqual(status, version.status)) return [];
  const { resourceVersion = "" } = version.metadata;
  return [{ type: "status", ref: refOf(version), resourceVersion, status }];
}

/**
 * Writes the status, or makes sure that it still is what was observed: a cache of versions may lag behind one of Jobs, and what
 * is created next must not belong to an attempt, or a version, that has ended since.
 */
export function writeOrConfirm(
  observed: ModelVersionObserved,
  status: ModelVersionStatus = observed.version.status ?? {},
): readonly Action[] {
  const written = writeStatus(observed, status);
  return written.length > 0 ? written : [confirm(observed)];
}

function confirm({ version }: ModelVersionObserved): Action {
  const { resourceVersion } = version.metadata;
  return {
    type: "patch",
    ref: refOf(version),
    operations: [{ op: "test", path: "/metadata/resourceVersion", value: resourceVersion }],
  };
}

function withBuilt(
  { version, now }: ModelVersionObserved,
  status: ModelVersionStatus,
  value: Condition["status"],
  reason: Reason,
  message: string,
): ModelVersionStatus {
  const { generation } = version.metadata;
  const next = { type: "Built", status: value, reason, message, observedGeneration: generation };
  return {
    ...status,
    message: value === "False" ? `${reason}: ${message}` : message,
    observedGeneration: generation,
    conditions: inOrder(setCondition(status.conditions, next, now)),
  };
}

function forGeneration(condition: Condition, generation: number | undefined): Condition {
  return { ...condition, observedGeneration: generation };
}

/** One order, so that setting a condition to what it is changes nothing. */
function inOrder(conditions: readonly Condition[]): Condition[] {
  return conditions.toSorted((a, b) => (a.type < b.type ? -1 : 1));
}

function built(status: ModelVersionStatus | undefined): Condition | undefined {
  return findCondition(status?.conditions, "Built");
}
