import { FINALIZERS, LABELS, VERSION_ANNOTATIONS } from "../api/annotations.ts";
import type { ModelVersion } from "../api/modelversion.ts";
import { pointerToken, type PatchOperation } from "../api/review.ts";
import type { Builder } from "../builder/builder.ts";
import { refOf, type Action } from "./action.ts";
import { begin, build } from "./modelversion-build.ts";
import { deleteJobs, stopJobs } from "./modelversion-jobs.ts";
import { currentStatus, writeStatus } from "./modelversion-status.ts";
import { event, lookAgain } from "./modelversion-steps.ts";
import { deleteStorage } from "./modelversion-storage.ts";
import { references, type ModelVersionObserved } from "./observed.ts";

/**
 * Takes a ModelVersion to its image. Each pass writes the version at most once, and first of all: the phase, image and
 * generation stand in the status before anything is made, so an edit can not race the rule that the spec is immutable, and a
 * controller that dies anywhere finds in the status what it was about to do.
 */
export function reconcileModelVersion(
  observed: ModelVersionObserved,
  builder: Builder,
): readonly Action[] {
  const { version } = observed;
  const { status, metadata } = version;
  if (metadata.deletionTimestamp !== undefined) return cleanUp(observed);
  switch (status?.imageBuildPhase) {
    case undefined:
      return begin(observed);
    case "ImageBuilding": {
      // Another controller's half-done build: nothing of it can be found again.
      if (status.observedGeneration === undefined) return begin(observed);
      const repairs = repair(observed, needsFinalizer(version) ? "add" : "keep");
      if (repairs.length > 0) return repairs;
      return [...build(observed, builder), ...makeModel(observed)];
    }
    case "ImageBuildFailed":
      // Finished Jobs stay for their logs, the volume stays for the retry.
      return isRetried(version) ? begin(observed) : done(observed, stopJobs(observed));
    case "ImageBuildSucceeded":
      return done(observed, cleanUp(observed));
  }
}

/** Keeps a version in order whose build has ended, then does the rest. */
function done(observed: ModelVersionObserved, rest: readonly Action[]): readonly Action[] {
  const { status, metadata } = observed.version;
  const seen = status?.observedGeneration;
  if (seen !== undefined && seen !== metadata.generation) {
    return writeStatus(observed, currentStatus(observed));
  }
  const repairs = repair(observed, "keep");
  return repairs.length > 0 ? repairs : [...rest, ...makeModel(observed)];
}

/**
 * A version that is built or deleted needs nothing of what was made to build it; the data stays, because the volume's policy
 * is Retain. The Job goes too, logs and all: its pod, finished as it is, would keep the claim from going. The finalizer goes
 * last, when the volume's deletion is certain.
 */
function cleanUp(observed: ModelVersionObserved): readonly Action[] {
  return [
    ...deleteJobs(observed.jobs),
    ...(hasFinalizer(observed.version)
      ? [...deleteStorage(observed), ...repair(observed, "remove")]
      : []),
  ];
}

/** Goes last, so that a Model that is refused keeps no image from being built. */
function makeModel(observed: ModelVersionObserved): readonly Action[] {
  const { version, model } = observed;
  if (model !== undefined) return [];
  const { namespace } = version.metadata;
  const object = {
    apiVersion: version.apiVersion ?? "",
    kind: "Model",
    metadata: { name: version.spec.modelName, ...(namespace === undefined ? {} : { namespace }) },
    spec: {},
  };
  const message = `Model ${version.spec.modelName} is refused; it is tried again`;
  const refused = [event(observed, "Warning", "CreateRefused", message), lookAgain()];
  return [{ type: "create", object, refused, namespaceEnds: [] }];
}

/** One patch of the label and our finalizer; empty when both are as they should be. */
function repair(
  { version }: ModelVersionObserved,
  finalizer: "add" | "remove" | "keep",
): readonly Action[] {
  const operations = [...labelOperations(version), ...finalizerOperations(version, finalizer)];
  if (operations.length === 0) return [];
  const unchanged: PatchOperation = {
    op: "test",
    path: "/metadata/resourceVersion",
    value: version.metadata.resourceVersion,
  };
  return [{ type: "patch", ref: refOf(version), operations: [unchanged, ...operations] }];
}

function labelOperations({ metadata, spec }: ModelVersion): readonly PatchOperation[] {
  if (metadata.labels?.[LABELS.modelName] === spec.modelName) return [];
  const value = spec.modelName;
  return metadata.labels === undefined
    ? [{ op: "add", path: "/metadata/labels", value: { [LABELS.modelName]: value } }]
    : [{ op: "add", path: `/metadata/labels/${pointerToken(LABELS.modelName)}`, value }];
}

function finalizerOperations(
  version: ModelVersion,
  change: "add" | "remove" | "keep",
): readonly PatchOperation[] {
  const finalizers = version.metadata.finalizers ?? [];
  const index = finalizers.indexOf(FINALIZERS.volume);
  if (change === "add" && index === -1) {
    return finalizers.length === 0
      ? [{ op: "add", path: "/metadata/finalizers", value: [FINALIZERS.volume] }]
      : [{ op: "add", path: "/metadata/finalizers/-", value: FINALIZERS.volume }];
  }
  if (change === "remove" && index !== -1) {
    return [{ op: "remove", path: `/metadata/finalizers/${index}` }];
  }
  return [];
}

function hasFinalizer({ metadata }: ModelVersion): boolean {
  return metadata.finalizers?.includes(FINALIZERS.volume) === true;
}

/** A volume is not of any namespace, so nothing but a finalizer sees that it goes with its version. */
function needsFinalizer(version: ModelVersion): boolean {
  return references(version).volumeName !== undefined;
}

/** True when the owner asks for a build that has ended to be tried again, and was not answered yet. */
export function isRetried({ metadata, status }: ModelVersion): boolean {
  const retry = metadata.annotations?.[VERSION_ANNOTATIONS.retry];
  return retry !== undefined && retry !== status?.retry;
}
