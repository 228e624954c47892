import { describe, expect, test } from "vitest";
import { makeSettings } from "../../test/make/build.ts";
import { makeExport } from "../../test/make/export.ts";
import { makeOwningJob, withRecord } from "../../test/make/exporting.ts";
import { makePreflight, type PreflightTweak } from "../../test/make/preflight.ts";
import { afterPatches, messageOf, stepsOf } from "../../test/make/steps.ts";
import { exportRecordOf, type ExportRecord } from "../api/export-record.ts";
import { printReport } from "../api/build-report.ts";
import { parseTime } from "../api/time.ts";
import { reconcilePreflight, type PreflightObserved } from "./preflight.ts";

const MADE = "2026-11-25T10:00:00Z";

/** A TFJob that trains, whose check stands as told so many seconds after it was made. */
function observed(
  preflight: ExportRecord["preflight"] | "not let go",
  tweak?: PreflightTweak,
  seconds = 5,
): PreflightObserved {
  const { job, kind } = makeOwningJob("TFJob");
  const recorded = preflight === "not let go" ? job : withRecord(job, { preflight });
  const made = tweak === undefined ? undefined : makePreflight(tweak);
  const check = made && {
    ...made.job,
    metadata: { ...made.job.metadata, creationTimestamp: MADE },
  };
  return {
    job: recorded,
    kind,
    now: parseTime(MADE) + seconds * 1000,
    settings: makeSettings(),
    check,
    checkPods: made?.pods ?? [],
  };
}

function stepsFor(state: PreflightObserved): readonly string[] {
  return stepsOf(reconcilePreflight(state, makeExport()));
}

const DENIED = printReport({
  state: "failed",
  reason: "PushDenied",
  message: "registry.example takes no push to models/mnist",
} as never);

const FAULTY: PreflightTweak = {
  job: ["Failed", "BackoffLimitExceeded"],
  phase: "Failed",
  terminated: { exitCode: 1, reason: "Error", message: DENIED },
};

describe("whether the image of an exporting job could be pushed", () => {
  test("is asked once the job has been let go, and that is noted", () => {
    const state = observed(undefined);
    const actions = reconcilePreflight(state, makeExport());
    expect(stepsOf(actions)).toEqual(["create Job", "patch TFJob"]);
    expect(exportRecordOf(afterPatches(state.job, actions))?.preflight).toBe("asked");
  });

  test("is not asked again when the API server takes no such Job", () => {
    const state = observed(undefined);
    const [create] = reconcilePreflight(state, makeExport());
    const refused = create?.type === "create" ? (create.refused ?? []) : [];
    expect(exportRecordOf(afterPatches(state.job, refused))?.preflight).toBe("done");
  });

  test.each<[string, PreflightObserved]>([
    ["of a job that waits", observed("not let go")],
    ["of one that was told", observed("done", FAULTY)],
  ])("is nobody's question %s", (_, state) => {
    expect(stepsFor(state)).toEqual([]);
  });

  test("is a Warning on the job when it could not, told once", () => {
    const state = observed("asked", FAULTY);
    const actions = reconcilePreflight(state, makeExport());
    expect(stepsOf(actions)).toEqual(["Warning PushDenied on TFJob", "patch TFJob"]);
    expect(messageOf(actions)).toBe(
      "the model could not be pushed now: registry.example takes no push to models/mnist",
    );
    expect(exportRecordOf(afterPatches(state.job, actions))?.preflight).toBe("done");
  });

  test("is a Warning without a question where the registry may not be reached at all", () => {
    const intent = makeExport((each) => void (each.imageRepo = "10.0.0.1:5000/models/mnist"));
    expect(stepsOf(reconcilePreflight(observed(undefined), intent))).toEqual([
      "Warning PushDenied on TFJob",
      "patch TFJob",
    ]);
  });
});

describe("a check", () => {
  const ended = { exitCode: 0, reason: "Completed" };
  test.each<[string, PreflightTweak | undefined, number, readonly string[]]>([
    ["that runs is waited for", { phase: "Running" }, 5, ["again after 86000 ms"]],
    [
      "that runs for ever is given up, and goes",
      { phase: "Running" },
      91,
      ["delete Job", "patch TFJob"],
    ],
    [
      "that passed says nothing",
      { job: ["Complete", "CompletionsReached"], phase: "Succeeded", terminated: ended },
      5,
      ["patch TFJob"],
    ],
    [
      "that could not run is waited for a little, since its pod may be seen late",
      { job: ["Failed", "DeadlineExceeded"] },
      2,
      ["again after 4000 ms"],
    ],
    [
      "that could not run says nothing",
      { job: ["Failed", "DeadlineExceeded"] },
      70,
      ["patch TFJob"],
    ],
    ["that is gone is not made again", undefined, 5, ["patch TFJob"]],
  ])("%s", (_, tweak, seconds, steps) => {
    expect(stepsFor(observed("asked", tweak, seconds))).toEqual(steps);
  });
});
