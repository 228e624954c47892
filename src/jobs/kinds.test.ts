import { describe, expect, test } from "vitest";
import { makeJob, type MadeJob } from "../../test/make/job.ts";
import { makeTrainingPod } from "../../test/make/pod.ts";
import { JOB_KINDS, jobKind, type JobKind } from "./kinds.ts";

describe("jobKind", () => {
  test("finds a kind by its version and name", () => {
    expect(jobKind("batch/v1", "Job")).toBe(JOB_KINDS[0]);
  });

  test.each([
    [undefined, undefined],
    ["batch/v1", "CronJob"],
    ["batch.volcano.sh/v1alpha1", "Job"],
  ])("does not know %s %s", (apiVersion, kind) => {
    expect(jobKind(apiVersion, kind)).toBeUndefined();
  });
});

describe("of a batch Job", () => {
  const [kind] = JOB_KINDS as readonly [JobKind];

  test.each([
    [undefined, true],
    ["0", true],
    ["1", false],
    ["10", false],
  ])("the pod with completion index %s writes: %s", (index, expected) => {
    const pod = makeTrainingPod((each) => {
      each.metadata.annotations =
        index === undefined ? {} : { "batch.kubernetes.io/job-completion-index": index };
    });
    expect(kind.isWriter(pod)).toBe(expected);
  });

  test.each<[string, Partial<MadeJob["spec"]>, boolean]>([
    ["one", {}, false],
    ["one at a time, once", { parallelism: 1, completions: 1 }, false],
    ["none for now", { parallelism: 0 }, false],
    ["two at a time", { parallelism: 2 }, true],
    ["two in all", { completions: 2 }, true],
    ["two that are numbered", { completions: 2, parallelism: 2, completionMode: "Indexed" }, false],
  ])("%s: no pod is the first", (_, spec, expected) => {
    const job = makeJob((each) => void Object.assign(each.spec, spec));
    expect(kind.hasNoFirstPod(job)).toBe(expected);
  });

  test.each([
    ["Indexed", "0", true],
    ["Indexed", "0,2-4", true],
    ["Indexed", "0-3", true],
    ["Indexed", "1,3-10", false],
    ["Indexed", "10", false],
    ["Indexed", "", false],
    ["Indexed", undefined, false],
    ["NonIndexed", undefined, true],
    [undefined, undefined, true],
  ])("%s, completed %j: the writer has succeeded: %s", (completionMode, indexes, expected) => {
    const job = makeJob((each) => {
      if (completionMode !== undefined) each.spec.completionMode = completionMode;
      each.status = indexes === undefined ? {} : { completedIndexes: indexes };
    });
    expect(kind.hasWriterSucceeded(job)).toBe(expected);
  });

  test("the outcome is that of its conditions", () => {
    const job = makeJob((each) => {
      each.status = { conditions: [{ type: "Complete", status: "True" }] };
    });
    expect(kind.outcome(job)).toBe("succeeded");
  });
});
