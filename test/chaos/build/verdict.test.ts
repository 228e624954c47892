import { describe, expect, test } from "vitest";
import type { SeenModel, SeenVersion } from "./history.ts";
import { judge, type Found, type FoundImage } from "./verdict.ts";

const HASHES = "1111  ./weights.bin\n2222  ./variables/shard-0\n";

function makeSeen(name: string, more: Partial<SeenVersion> = {}): SeenVersion {
  return {
    uid: `uid-of-${name}`,
    name,
    model: "digits",
    createdAt: "2026-01-01T00:00:00Z",
    image: `registry/digits:${name}`,
    phase: "ImageBuildSucceeded",
    message: "",
    digests: [`sha256:${name}`],
    built: true,
    gone: false,
    ...more,
  };
}

function makeImage(name: string, more: object = {}): FoundImage {
  const uid = `uid-of-${name}`;
  return { uid, tagged: `sha256:${name}`, labelled: uid, hashes: HASHES, ...more };
}

function makeModel(latest: string, more: Partial<SeenModel> = {}): SeenModel {
  const latestVersion = { modelVersion: latest, imageName: "", digest: `sha256:${latest}` };
  return { name: "digits", named: [latest], latest: latestVersion, ...more };
}

function makeFound(more: Partial<Found> = {}): Found {
  const names = ["run-1", "run-2"];
  return {
    wanted: names.map((name) => ({ name, uid: `uid-of-${name}`, hashes: HASHES })),
    versions: names.map((name) => makeSeen(name)),
    models: [makeModel("run-2")],
    images: names.map((name) => makeImage(name)),
    data: names.map((name) => ({ name, before: HASHES, after: HASHES })),
    left: [],
    unfinished: [],
    ...more,
  };
}

/** The first of the two versions is another than it should be. */
function withFirst(seen: Partial<SeenVersion>): Partial<Found> {
  return { versions: [makeSeen("run-1", seen), makeSeen("run-2")] };
}

interface Case {
  readonly title: string;
  readonly found: Partial<Found>;
  readonly lastLine: string;
  readonly text: RegExp;
}

const CASES: readonly Case[] = [
  {
    title: "a version that was never seen",
    found: { versions: [makeSeen("run-2")] },
    lastLine: "lost 1 wrong 0",
    text: /version run-1 \(uid-of-run-1\) was never seen/,
  },
  {
    title: "a version that is gone",
    found: withFirst({ gone: true }),
    lastLine: "lost 1 wrong 0",
    text: /run-1 \(uid-of-run-1\) is gone/,
  },
  {
    title: "a version whose build never ended",
    found: withFirst({ phase: "ImageBuilding", message: "attempt 2", digests: [], built: false }),
    lastLine: "lost 1 wrong 0",
    text: /run-1 \S+ is not built: ImageBuilding: attempt 2/,
  },
  {
    title: "a version that failed for good",
    found: withFirst({ phase: "ImageBuildFailed", message: "TagTaken", digests: [], built: false }),
    lastLine: "lost 1 wrong 0",
    text: /run-1 \S+ failed for good: TagTaken/,
  },
  {
    title: "data that changed, was lost, and came",
    found: { data: [{ name: "run-1", before: HASHES, after: "3333  ./weights.bin\n" }] },
    lastLine: "lost 1 wrong 0",
    text: /data of run-1 changed: - 1111 .*weights.*, - 2222 .*shard-0, \+ 3333/,
  },
  {
    title: "an object that is left, and a run that came to no end",
    found: { left: ["Job/mh-build-1 of ModelVersion run-1: is left"], unfinished: ["run-2 …"] },
    lastLine: "lost 2 wrong 0",
    text: /mh-build-1/,
  },
  {
    title: "a version that recorded two digests",
    found: withFirst({ digests: ["sha256:0", "sha256:run-1"] }),
    lastLine: "lost 0 wrong 1",
    text: /run-1 .* one digest after the other: sha256:0, sha256:run-1/,
  },
  {
    title: "a version that is built without a digest",
    found: withFirst({ digests: [] }),
    lastLine: "lost 0 wrong 1",
    text: /run-1 \S+ is built and has no digest/,
  },
  {
    title: "an image that nobody looked at",
    found: { images: [makeImage("run-2")] },
    lastLine: "lost 0 wrong 1",
    text: /run-1 \S+ nobody looked at its image/,
  },
  {
    title: "an image that can not be read",
    found: { images: [{ uid: "uid-of-run-1", unreadable: "404" }, makeImage("run-2")] },
    lastLine: "lost 0 wrong 1",
    text: /run-1 \S+ sha256:run-1 can not be read: 404/,
  },
  {
    title: "a tag that names another image",
    found: { images: [makeImage("run-1", { tagged: "sha256:0" }), makeImage("run-2")] },
    lastLine: "lost 0 wrong 1",
    text: /recorded sha256:run-1, but registry\/digits:run-1 is sha256:0/,
  },
  {
    title: "an image that is labelled as another version's",
    found: { images: [makeImage("run-1", { labelled: "uid-of-run-2" }), makeImage("run-2")] },
    lastLine: "lost 0 wrong 1",
    text: /sha256:run-1 names version uid-of-run-2/,
  },
  {
    title: "an image that lacks a file and has another with other bytes",
    found: {
      images: [makeImage("run-1", { hashes: "3333  ./weights.bin\n" }), makeImage("run-2")],
    },
    lastLine: "lost 0 wrong 1",
    text: /does not hold its data: - 1111 .*, - 2222 .*, \+ 3333/,
  },
  {
    title: "a model that names an older version",
    found: { models: [makeModel("run-1")] },
    lastLine: "lost 0 wrong 1",
    text: /model digits names run-1; the newest that is built is run-2/,
  },
  {
    title: "a model that names no version",
    found: { models: [makeModel("run-2", { latest: undefined })] },
    lastLine: "lost 0 wrong 1",
    text: /model digits names undefined; the newest that is built is run-2/,
  },
  {
    title: "a model that gives another digest",
    found: {
      models: [makeModel("run-2", { latest: { modelVersion: "run-2", imageName: "" } })],
    },
    lastLine: "lost 0 wrong 1",
    text: /model digits gives undefined for run-2, which has sha256:run-2/,
  },
  {
    title: "a model that once named a version that was not built",
    found: {
      versions: [...makeFound().versions, makeSeen("run-3", { built: false, gone: true })],
      models: [makeModel("run-2", { named: ["run-3", "run-2"] })],
    },
    lastLine: "lost 0 wrong 1",
    text: /model digits named run-3, which never was built/,
  },
];

describe("the verdict on builds", () => {
  test("is content when all is built as it should be", () => {
    expect(judge(makeFound())).toEqual({ problems: [], lastLine: "lost 0 wrong 0", ok: true });
  });

  test("allows that a version which was made again, or deleted, never was built", () => {
    const before = makeSeen("run-1", {
      uid: "before",
      phase: "ImageBuilding",
      digests: [],
      built: false,
      gone: true,
    });
    const versions = [before, ...makeFound().versions];
    expect(judge(makeFound({ versions }))).toMatchObject({ ok: true });
  });

  test("takes the version that was made last for the newest, of the same second the later name", () => {
    const late = { createdAt: "2026-01-01T00:00:01Z" };
    const versions = [makeSeen("run-1", late), makeSeen("run-2")];
    expect(judge(makeFound({ versions, models: [makeModel("run-1")] })).ok).toBe(true);
    expect(judge(makeFound({ versions, models: [makeModel("run-2")] })).ok).toBe(false);
  });

  test.each(CASES)("finds $title", ({ found, lastLine, text }) => {
    const verdict = judge(makeFound(found));
    expect(verdict).toMatchObject({ ok: false, lastLine });
    expect(verdict.problems[0]?.text).toMatch(text);
    for (const problem of verdict.problems)
      expect(problem.run).toBe(/run-\d/.exec(problem.text)?.[0]);
  });

  test("is not satisfied with nothing", () => {
    const nothing = { wanted: [], versions: [], models: [], images: [], data: [] };
    expect(judge(makeFound(nothing))).toMatchObject({ ok: false, lastLine: "lost 0 wrong 0" });
  });
});
