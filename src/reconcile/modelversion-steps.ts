import type { Reason } from "../api/reasons.ts";
import { refOf, type Action } from "./action.ts";
import { failedStatus, writeStatus } from "./modelversion-status.ts";
import type { ModelVersionObserved } from "./observed.ts";

/** How often to look at what no watch reports: time itself, a user's claim, a node, a version of another namespace. */
const LOOK_AGAIN_MS = 15_000;

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
