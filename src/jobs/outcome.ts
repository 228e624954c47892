import type { Job } from "../api/kube-types.ts";

/** How a job stands; the last two are final. */
export type Outcome = "running" | "succeeded" | "failed";

/** Outcome of a batch/v1 Job: SuccessCriteriaMet does not count, because pods may still run then. */
export function batchJobOutcome(job: Job): Outcome {
  if (hasCondition(job, "Complete")) return "succeeded";
  return hasCondition(job, "Failed") ? "failed" : "running";
}

function hasCondition(job: Job, type: string): boolean {
  return (job.status?.conditions ?? []).some(
    (condition) => condition.type === type && condition.status === "True",
  );
}
