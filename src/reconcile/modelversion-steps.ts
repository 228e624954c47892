import type { KubeObject } from "../api/kube-types.ts";
import type { ModelVersionStatus } from "../api/modelversion.ts";
import type { Reason } from "../api/reasons.ts";
import { refOf, type Action } from "./action.ts";
import { failedStatus, writeStatus } from "./modelversion-status.ts";
import type { ModelVersionObserved } from "./observed.ts";

/** How often to look at what no watch reports: time itself, a user's claim, a node, a version of another namespace. */
const LOOK_AGAIN_MS = 15_000;

/** How soon something that the API server refused is tried again. */
const REFUSED_AGAIN_MS = 30_000;

/** Ends the build for good. */
export function fail(
  observed: ModelVersionObserved,
  reason: Reason,
  message: string,
): readonly Action[] {
  return [
    ...writeStatus(observed, failedStatus(observed, reason, message)),
    event(observed, "Warning", reason, message),
  ];
}

/** Makes an object of the build; the version says so when the API server refuses it, and gives up when its namespace ends. */
export function createOrSay(
  observed: ModelVersionObserved,
  object: KubeObject,
  refusedStatus: (message: string) => ModelVersionStatus,
): Action {
  const what = `${object.kind} ${object.metadata?.name}`;
  const message = `${what} is refused; it is tried again`;
  return {
    type: "create",
    object,
    refused: [
      event(observed, "Warning", "CreateRefused", message),
      // Last, since it may be stale: what was just written has a newer resourceVersion.
      { type: "requeueAfter", ms: REFUSED_AGAIN_MS },
      ...writeStatus(observed, refusedStatus(message)),
    ],
    namespaceEnds: fail(
      observed,
      "CreateRefused",
      `the namespace is being deleted, and ${what} is refused`,
    ),
  };
}

/** Says something on the version. */
export function event(
  { version }: ModelVersionObserved,
  kind: "Normal" | "Warning",
  reason: Reason,
  message: string,
): Action {
  return { type: "event", ref: refOf(version), kind, reason, message };
}

/** Looks again soon, whatever the watches report. */
export function lookAgain(): Action {
  return { type: "requeueAfter", ms: LOOK_AGAIN_MS };
}
