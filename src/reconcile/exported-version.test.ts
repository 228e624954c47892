import { describe, expect, test } from "vitest";
import { makeHeldJob } from "../../test/make/job.ts";
import { makeModelVersion } from "../../test/make/modelversion.ts";
import { afterPatches } from "../../test/make/steps.ts";
import { FINALIZERS } from "../api/annotations.ts";
import { reconcileExportedVersion } from "./exported-version.ts";

const VERSION = makeModelVersion((version) => {
  version.metadata.finalizers = [FINALIZERS.export, FINALIZERS.volume];
});

const HELD = makeHeldJob();
const LET_GO = makeHeldJob((job) => void (job.metadata.finalizers = []));

describe("the finalizer that a version is exported with", () => {
  test("stays while the job is held, deleted as the version may be", () => {
    expect(reconcileExportedVersion({ version: VERSION, job: HELD })).toEqual([]);
  });

  test.each([
    ["has been let go", LET_GO],
    ["is gone", undefined],
  ])("goes, and no other, when the job %s", (_, job) => {
    const actions = reconcileExportedVersion({ version: VERSION, job });
    expect(afterPatches(VERSION, actions).metadata.finalizers).toEqual([FINALIZERS.volume]);
  });

  test("is nothing to a version that has none", () => {
    expect(reconcileExportedVersion({ version: makeModelVersion(), job: undefined })).toEqual([]);
  });
});
