import { expect, test } from "vitest";
import { makeJob } from "../../test/make/job.ts";
import { batchJobOutcome } from "./outcome.ts";

test.each([
  ["no conditions", [], "running"],
  ["Complete", [["Complete", "True"]], "succeeded"],
  ["Failed", [["Failed", "True"]], "failed"],
  ["Complete that does not hold", [["Complete", "False"]], "running"],
  ["Failed that is unknown", [["Failed", "Unknown"]], "running"],
  ["SuccessCriteriaMet, while pods may still run", [["SuccessCriteriaMet", "True"]], "running"],
  ["FailureTarget, while pods may still run", [["FailureTarget", "True"]], "running"],
  ["Suspended", [["Suspended", "True"]], "running"],
  [
    "SuccessCriteriaMet and then Complete",
    [
      ["SuccessCriteriaMet", "True"],
      ["Complete", "True"],
    ],
    "succeeded",
  ],
])("a job with %s: %s", (_, conditions, outcome) => {
  const job = makeJob((each) => {
    each.status = {
      conditions: conditions.map(([type = "", status = ""]) => ({ type, status })),
    };
  });
  expect(batchJobOutcome(job)).toBe(outcome);
});

test("a job without a status runs", () => {
  expect(batchJobOutcome(makeJob())).toBe("running");
});
