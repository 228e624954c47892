import type { KubeObject } from "../api/kube-types.ts";
import { fieldAt, listAt, textAt } from "./field.ts";
import type { JobKind, Sign } from "./job-kind.ts";

/** How a job stands; the last two are final. */
export type Outcome = "running" | "succeeded" | "failed";

/** How an object of that kind stands. A status of another shape than expected shows nothing. */
export function outcomeOf({ outcome }: Pick<JobKind, "outcome">, job: KubeObject): Outcome {
  const { succeeded, failed } = outcome;
  if (succeeded.length > 0 && succeeded.every((sign) => isShown(sign, job))) return "succeeded";
  return failed.some((sign) => isShown(sign, job)) ? "failed" : "running";
}

/** When a job started and when it ended (RFC 3339), as far as its object tells. */
export function timesOf(
  { times, outcome }: Pick<JobKind, "times" | "outcome">,
  job: KubeObject,
): { readonly started: string | undefined; readonly completed: string | undefined } {
  const end = outcome.succeeded.find((sign) => "condition" in sign);
  return {
    started: textAt(job, times?.started ?? "status.startTime"),
    completed:
      textAt(job, times?.completed ?? "status.completionTime") ??
      (end === undefined
        ? undefined
        : textAt(conditionOf(job, end.condition), "lastTransitionTime")),
  };
}

function isShown(sign: Sign, job: KubeObject): boolean {
  if ("condition" in sign) return conditionOf(job, sign.condition) !== undefined;
  return sign.values.includes(textAt(job, sign.path) ?? "");
}

/** The condition of that type with status True. */
function conditionOf(job: KubeObject, type: string): unknown {
  return listAt(job, "status.conditions").find(
    (each) => fieldAt(each, "type") === type && fieldAt(each, "status") === "True",
  );
}
