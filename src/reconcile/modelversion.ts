import { FINALIZERS, VERSION_ANNOTATIONS } from "../api/annotations.ts";
import { hasFinalizer } from "../api/finalizer.ts";
import type { ModelVersion } from "../api/modelversion.ts";
import { modelNameOf } from "../api/stored-spec.ts";
import type { Builder } from "../builder/builder.ts";
import type { Action } from "./action.ts";
import { begin, build } from "./modelversion-build.ts";
import { deleteJobs, stopJobs } from "./modelversion-jobs.ts";
import { needsFinalizer, repair } from "./modelversion-repair.ts";
import { currentStatus, writeStatus } from "./modelversion-status.ts";
import { event, lookAgain } from "./modelversion-steps.ts";
import { deleteStorage } from "./modelversion-storage.ts";
import type { ModelVersionObserved } from "./observed.ts";

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
    ...(hasFinalizer(observed.version, FINALIZERS.volume)
      ? [...deleteStorage(observed), ...repair(observed, "remove")]
      : []),
  ];
}

/** Goes last, so that a Model that is refused keeps no image from being built. */
function makeModel(observed: ModelVersionObserved): readonly Action[] {
  const { version, model } = observed;
  const name = modelNameOf(version);
  if (model !== undefined || name === undefined) return [];
  const { namespace } = version.metadata;
  const object = {
    apiVersion: version.apiVersion ?? "",
    kind: "Model",
    metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
    spec: {},
  };
  const message = `Model ${name} is refused; it is tried again`;
  const refused = [event(observed, "Warning", "CreateRefused", message), lookAgain()];
  return [{ type: "create", object, refused, namespaceEnds: [] }];
}

/** True when the owner asks for a build that has ended to be tried again, and was not answered yet. */
export function isRetried({ metadata, status }: ModelVersion): boolean {
  const retry = metadata.annotations?.[VERSION_ANNOTATIONS.retry];
  return retry !== undefined && retry !== status?.retry;
}
