import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { makeJobKind } from "../../test/make/workload.ts";
import type { KubeObject } from "../api/kube-types.ts";
import { deepFreeze } from "../kube/freeze.ts";
import type { JobKind } from "./job-kind.ts";
import { BARE_POD, BATCH_JOB, JOB_KINDS } from "./kinds.ts";
import { outcomeOf, timesOf, type Outcome } from "./outcome.ts";

const TFJOB = makeJobKind("TFJob");
const RAYJOB = makeJobKind("RayJob");
const VOLCANO = makeJobKind("Job", "batch.volcano.sh/v1alpha1");

function withStatus(status: unknown): KubeObject {
  return deepFreeze({ status } as KubeObject);
}

test.each<[string, readonly (readonly [string, string])[], Outcome]>([
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
  [
    "Failed that no longer holds, and Complete",
    [
      ["Failed", "False"],
      ["Complete", "True"],
    ],
    "succeeded",
  ],
  [
    "Complete that does not hold, and another that does",
    [
      ["Complete", "False"],
      ["Complete", "True"],
    ],
    "succeeded",
  ],
])("a job with %s: %j is %s", (_, conditions, outcome) => {
  const status = { conditions: conditions.map(([type, value]) => ({ type, status: value })) };
  expect(outcomeOf(BATCH_JOB, withStatus(status))).toBe(outcome);
});

test.each<[string, JobKind, object, Outcome]>([
  ["a RayJob that tries again", RAYJOB, ray("FAILED", "Retrying"), "running"],
  [
    "a RayJob whose program has ended, and not all around it",
    RAYJOB,
    ray("SUCCEEDED", "Running"),
    "running",
  ],
  ["a RayJob whose program was stopped", RAYJOB, ray("STOPPED", "Complete"), "failed"],
  [
    "a RayJob whose program failed, of an older KubeRay",
    RAYJOB,
    ray("FAILED", "Complete"),
    "failed",
  ],
  ["a RayJob that is refused", RAYJOB, { jobDeploymentStatus: "ValidationFailed" }, "failed"],
  ["a RayJob that is suspended", RAYJOB, ray("", "Suspended"), "running"],
  [
    "a Volcano Job that was aborted, and may go on",
    VOLCANO,
    { state: { phase: "Aborted" } },
    "running",
  ],
  ["a Volcano Job that restarts", VOLCANO, { state: { phase: "Restarting" } }, "running"],
  ["a Volcano Job that completes", VOLCANO, { state: { phase: "Completing" } }, "running"],
  ["a Volcano Job that was terminated", VOLCANO, { state: { phase: "Terminated" } }, "failed"],
  ["a pod that is lost", BARE_POD, { phase: "Unknown" }, "running"],
])("%s is %4$s", (_, kind, status, outcome) => {
  expect(outcomeOf(kind, withStatus(status))).toBe(outcome);
});

test("a kind of the administrator's that shows no success never succeeds", () => {
  const outcome = { succeeded: [], failed: [] };
  expect(outcomeOf({ outcome }, withStatus({ phase: "Done" }))).toBe("running");
});

describe("a status of a strange shape shows nothing", () => {
  test.each<[string, unknown]>([
    ["none", undefined],
    ["null", null],
    ["a list", [{ type: "Succeeded", status: "True" }]],
    ["a number", 5],
    ["a text", "Succeeded"],
    ["null for conditions", { conditions: null }],
    ["a map for conditions", { conditions: { Succeeded: "True" } }],
    ["conditions that are null, lists and numbers", { conditions: [null, [], 5, "Succeeded"] }],
    ["a condition that holds as no text", { conditions: [{ type: "Succeeded", status: true }] }],
    ["a condition without a status", { conditions: [{ type: "Succeeded" }] }],
    ["a state that is a list", { state: ["Completed"] }],
    ["a phase that is a list", { state: { phase: ["Completed"] } }],
    ["a phase that is only inherited", Object.create({ phase: "Succeeded" })],
  ])("%s", (_, status) => {
    for (const kind of [TFJOB, VOLCANO, BARE_POD]) {
      expect(outcomeOf(kind, withStatus(status))).toBe("running");
      expect(timesOf(kind, withStatus(status)).completed).toBeUndefined();
    }
  });
});

test("no JSON makes it throw", () => {
  const part = fc.jsonValue();
  const condition = fc.record({
    type: fc.constantFrom("Succeeded", "Failed", "Complete", "Completed"),
    status: fc.oneof(fc.constantFrom("True", "False"), part),
  });
  const state = fc.oneof(part, fc.record({ phase: part, lastTransitionTime: part }));
  const status = fc.oneof(
    part,
    fc.record({ conditions: fc.oneof(part, fc.array(fc.oneof(condition, part))), state }),
    fc.record({ jobStatus: part, jobDeploymentStatus: part, startTime: part, phase: part }),
  );
  fc.assert(
    fc.property(fc.oneof(part, fc.record({ status })), (object) => {
      const job = object as KubeObject;
      for (const kind of [...JOB_KINDS, BARE_POD]) {
        expect(["running", "succeeded", "failed"]).toContain(outcomeOf(kind, job));
        for (const time of Object.values(timesOf(kind, job))) {
          expect(["string", "undefined"]).toContain(typeof time);
        }
      }
    }),
  );
});

function ray(jobStatus: string, jobDeploymentStatus: string): object {
  return { jobStatus, jobDeploymentStatus };
}
