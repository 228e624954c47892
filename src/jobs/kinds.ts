import type { Job, Pod } from "../api/kube-types.ts";
import { batchJobOutcome, type Outcome } from "./outcome.ts";

/** A kind of job whose success turns the model that it wrote into a ModelVersion. */
export interface JobKind {
  readonly apiVersion: string;
  readonly kind: string;
  /** Which pods may write when one writer is allowed. */
  isWriter(pod: Pod): boolean;
  /** How the job stands. */
  outcome(job: Job): Outcome;
  /** False for a job that succeeded although its one writer did not, and so may have been ended in mid-write. */
  hasWriterSucceeded(job: Job): boolean;
  /** True when no pod of the job is the first one, so that all would write. */
  hasNoFirstPod(job: Job): boolean;
}

const COMPLETION_INDEX = "batch.kubernetes.io/job-completion-index";

/** Matches status.completedIndexes, such as `0,2-4`, when it holds 0. A successPolicy may do without it. */
const FIRST_COMPLETED = /^0(?:[,-]|$)/;

/** The row of Kubernetes' own jobs. */
export const BATCH_JOB: JobKind = {
  apiVersion: "batch/v1",
  kind: "Job",
  isWriter: (pod) => (pod.metadata?.annotations?.[COMPLETION_INDEX] ?? "0") === "0",
  outcome: batchJobOutcome,
  hasWriterSucceeded: ({ spec, status }) =>
    spec?.completionMode !== "Indexed" || FIRST_COMPLETED.test(status?.completedIndexes ?? ""),
  hasNoFirstPod: ({ spec }) =>
    spec?.completionMode !== "Indexed" &&
    ((spec?.parallelism ?? 1) > 1 || (spec?.completions ?? 1) > 1),
};

/** The kinds of jobs that export models. */
export const JOB_KINDS: readonly JobKind[] = [BATCH_JOB];

/** The row of a kind; undefined for one that is not in the table. */
export function jobKind(
  apiVersion: string | undefined,
  kind: string | undefined,
): JobKind | undefined {
  return JOB_KINDS.find((row) => row.apiVersion === apiVersion && row.kind === kind);
}
