import { describe, expect, test } from "vitest";
import type { SeenJob, SeenVersion } from "./history.ts";
import { judge, type Found } from "./verdict.ts";

function makeSeenJob(name: string, more: Partial<SeenJob> = {}): SeenJob {
  return {
    uid: `uid-of-${name}`,
    name,
    succeeded: true,
    failed: false,
    deleted: false,
    deletedFirst: false,
    held: false,
    gone: false,
    ...more,
  };
}

function makeSeenVersion(job: string, name = `of-${job}`): SeenVersion {
  return { uid: `uid-of-${name}`, name, jobUid: `uid-of-${job}`, gone: false };
}

function makeFound(more: Partial<Found> = {}): Found {
  return {
    jobs: [
      makeSeenJob("run-1"),
      makeSeenJob("run-2", { gone: true }),
      makeSeenJob("run-3", { succeeded: false, failed: true }),
    ],
    versions: [makeSeenVersion("run-1"), { ...makeSeenVersion("run-2"), gone: true }],
    held: [],
    unfinished: [],
    ...more,
  };
}

describe("the verdict", () => {
  test("counts jobs that have a version, whatever is still there", () => {
    const verdict = judge(makeFound());
    expect(verdict.lastLine).toBe("created 2 duplicates 0 lost 0 finalizers 0");
    expect(verdict).toMatchObject({ ok: true, problems: [] });
  });

  test("finds the second version of a job, though the first is gone", () => {
    const { versions } = makeFound();
    const verdict = judge(
      makeFound({ versions: [...versions, makeSeenVersion("run-2", "again")] }),
    );
    expect(verdict.lastLine).toBe("created 2 duplicates 1 lost 0 finalizers 0");
    const text =
      "ModelVersion again (uid-of-again) is of a job that has one already (job run-2, uid-of-run-2)";
    expect(verdict).toMatchObject({ ok: false, problems: [{ run: "run-2", text }] });
  });

  test("finds the version of a job that failed, of one that was never seen, and of none", () => {
    const stray = { ...makeSeenVersion(""), jobUid: "" };
    const versions = [...makeFound().versions, makeSeenVersion("run-3"), makeSeenVersion("run-9")];
    const verdict = judge(makeFound({ versions: [...versions, stray] }));
    expect(verdict.lastLine).toBe("created 2 duplicates 3 lost 0 finalizers 0");
    expect(verdict.problems.map(({ text }) => text.replace(/^.* is of /, ""))).toEqual([
      "a job that did not succeed (job run-3, uid-of-run-3)",
      "no job that was seen (job unknown, uid-of-run-9)",
      "no job that was seen",
    ]);
    expect(verdict.ok).toBe(false);
  });

  test("finds the job that succeeded and has no version", () => {
    const verdict = judge(makeFound({ versions: [makeSeenVersion("run-1")] }));
    expect(verdict.lastLine).toBe("created 1 duplicates 0 lost 1 finalizers 0");
    const text = "job run-2 (uid-of-run-2) succeeded and has no ModelVersion";
    expect(verdict).toMatchObject({ ok: false, problems: [{ run: "run-2", text }] });
  });

  test("allows one version, or none, of a job that was deleted before it was complete", () => {
    const late = makeSeenJob("run-4", { deleted: true, deletedFirst: true });
    const { jobs, versions } = makeFound();
    expect(judge(makeFound({ jobs: [...jobs, late] }))).toMatchObject({ ok: true, lost: 0 });
    const one = makeFound({
      jobs: [...jobs, late],
      versions: [...versions, makeSeenVersion("run-4")],
    });
    expect(judge(one)).toMatchObject({ ok: true, created: 3 });
    const two = [...one.versions, makeSeenVersion("run-4", "again")];
    expect(judge({ ...one, versions: two })).toMatchObject({ ok: false, duplicates: 1 });
  });

  test("finds what still carries a finalizer or can not go, and what came to no end", () => {
    const held = ["Job/run-1: carries model.kubedl.io/export", "PersistentVolume/mh-1: is left"];
    const unfinished = ["run-3 came to no end: held"];
    const verdict = judge(makeFound({ held, unfinished }));
    expect(verdict.lastLine).toBe("created 2 duplicates 0 lost 0 finalizers 2");
    expect(verdict.problems.map(({ run }) => run)).toEqual(["run-1", "", "run-3"]);
    expect(verdict.ok).toBe(false);
    expect(judge(makeFound({ unfinished })).ok).toBe(false);
  });

  test("is not satisfied with nothing", () => {
    const nothing = { jobs: [], versions: [], held: [], unfinished: [] };
    expect(judge(nothing)).toMatchObject({ ok: false, created: 0, problems: [] });
  });
});
