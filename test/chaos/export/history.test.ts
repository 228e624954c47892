import { describe, expect, test } from "vitest";
import type { Job, KubeObject } from "../../../src/api/kube-types.ts";
import { createRecorder, isOver } from "./history.ts";
import { judge } from "./verdict.ts";

const HELD = ["model.kubedl.io/export"];
const COMPLETE = { conditions: [{ type: "Complete", status: "True" }] };

function makeSeen(metadata: object, status: object = {}): Job {
  return { metadata: { uid: "job-uid", name: "run-1", ...metadata }, status };
}

function makeMade(uid: string, jobUid = "job-uid"): KubeObject {
  return {
    metadata: { uid, name: "model-1", labels: { "model.kubedl.io/job-uid": jobUid } },
  };
}

describe("the observer's memory", () => {
  test("keeps a success, though the job goes in the next moment", () => {
    const history = createRecorder(() => 0);
    history.job({ type: "added", object: makeSeen({ finalizers: HELD }) });
    const deleted = { deletionTimestamp: "2026-01-01T00:00:00Z" };
    const ended = makeSeen({ finalizers: HELD, ...deleted }, COMPLETE);
    history.job({ type: "updated", object: ended, previous: ended });
    const seen = history.jobs.get("job-uid");
    expect(seen).toMatchObject({ succeeded: true, deleted: true, deletedFirst: false, held: true });
    expect(isOver(seen ?? never())).toBe(false);
    history.job({ type: "deleted", object: makeSeen(deleted, COMPLETE) });
    expect(history.jobs.get("job-uid")).toMatchObject({ succeeded: true, held: false, gone: true });
    expect(isOver(seen ?? never())).toBe(true);
  });

  test("knows that a job was deleted before it was complete", () => {
    const history = createRecorder(() => 0);
    const deleted = { finalizers: HELD, deletionTimestamp: "2026-01-01T00:00:00Z" };
    history.job({ type: "added", object: makeSeen(deleted) });
    history.job({ type: "added", object: makeSeen(deleted, COMPLETE) });
    expect(history.jobs.get("job-uid")).toMatchObject({ succeeded: true, deletedFirst: true });
  });

  test("believes Kubernetes' Event, whether it comes before the job's end is seen or after the job has gone", () => {
    for (const isEarly of [true, false]) {
      const history = createRecorder(() => 0);
      if (isEarly) history.completedEvent("job-uid");
      history.job({ type: "added", object: makeSeen({}) });
      history.job({ type: "deleted", object: makeSeen({}) });
      if (!isEarly) history.completedEvent("job-uid");
      expect(history.jobs.get("job-uid")?.succeeded).toBe(true);
    }
  });

  test("counts versions by UID: one that is made again under its name is another", () => {
    const history = createRecorder(() => 0);
    history.job({ type: "added", object: makeSeen({}, COMPLETE) });
    for (const uid of ["first", "second"]) {
      history.version({ type: "added", object: makeMade(uid) });
      history.version({ type: "deleted", object: makeMade(uid) });
    }
    const [jobs, versions] = [[...history.jobs.values()], [...history.versions.values()]];
    const verdict = judge({ jobs, versions, held: [], unfinished: [] });
    expect(verdict).toMatchObject({ created: 1, duplicates: 1 });
  });
});

function never(): never {
  throw new Error("the job was not seen");
}
