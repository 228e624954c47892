import { describe, expect, test } from "vitest";
import { makeExport } from "../../test/make/export.ts";
import { makeBarePod, makeOwningJob, withRecord } from "../../test/make/exporting.ts";
import type { Tweak } from "../../test/make/frozen.ts";
import { makeHeldJob, type MadeJob } from "../../test/make/job.ts";
import { makeModelVersion } from "../../test/make/modelversion.ts";
import { makeTrainingPod, type MadePod } from "../../test/make/pod.ts";
import { ANNOTATIONS, GATES, LABELS } from "../api/annotations.ts";
import { parseTime } from "../api/time.ts";
import { EXPORT_VOLUME } from "../inject/completion-hook.ts";
import { BATCH_JOB } from "../jobs/kinds.ts";
import type { OwningJob } from "../jobs/owner.ts";
import {
  hasBegun,
  lateWriters,
  usersBesides,
  writersBesides,
  type Exporter,
  type LocationObserved,
} from "./location.ts";

const STORAGE = { apiVersion: "v1", kind: "PersistentVolume", metadata: { name: "mh-1" } };

function job(name: string, tweak: Tweak<MadeJob> = () => {}): MadeJob {
  return makeHeldJob((each) => {
    Object.assign(each.metadata, { name, uid: `uid-of-${name}` });
    tweak(each);
  });
}

function onUserClaim(each: MadeJob): void {
  const intent = makeExport((draft) => {
    draft.storage = { persistentVolumeClaim: { claimName: "theirs" } };
  });
  each.spec.template.metadata.annotations = { [ANNOTATIONS.export]: JSON.stringify(intent) };
}

function completed(each: MadeJob): void {
  each.status = { conditions: [{ type: "Complete", status: "True" }] };
}

/** A pod that writes, of a job by name. */
function pod(owner: string, phase: string, tweak: Tweak<MadePod> = () => {}): MadePod {
  return makeTrainingPod((each) => {
    each.metadata.name = `${owner}-pod`;
    const [reference] = each.metadata.ownerReferences ?? [];
    if (reference !== undefined) reference.uid = `uid-of-${owner}`;
    each.spec.volumes = [{ name: EXPORT_VOLUME, persistentVolumeClaim: { claimName: "mh-1" } }];
    each.status = { phase };
    tweak(each);
  });
}

function gated(each: MadePod): void {
  each.spec.schedulingGates = [{ name: GATES.export }];
}

function withScratch(each: MadePod): void {
  each.spec.volumes = [{ name: EXPORT_VOLUME, emptyDir: {} }];
}

function exporter(held: MadeJob, parts: Partial<Exporter> = {}): Exporter {
  return { job: held, kind: BATCH_JOB, pods: [], storage: undefined, ...parts };
}

function observe(parts: Partial<LocationObserved> = {}): LocationObserved {
  return { versions: [], exporters: [], pods: [], turn: undefined, ...parts };
}

const NEXT = job("next");

describe("a job has its location to itself", () => {
  test("when nobody else uses it", () => {
    const exporters = [exporter(NEXT, { pods: [pod("next", "Pending", gated)] })];
    expect(usersBesides(NEXT, observe({ exporters }))).toEqual([]);
  });

  test.each<[string, Exporter]>([
    ["has not been let go", exporter(job("first"), { pods: [pod("first", "Pending", gated)] })],
    [
      "runs only replicas that write to scratch space",
      exporter(job("first", onUserClaim), { pods: [pod("first", "Running", withScratch)] }),
    ],
    [
      "has pods without a gate that wait for their storage",
      exporter(job("first"), { pods: [pod("first", "Pending")] }),
    ],
  ])("when the other job %s", (_, other) => {
    expect(usersBesides(NEXT, observe({ exporters: [other, exporter(NEXT)] }))).toEqual([]);
  });

  test("when the version over it is built, or has failed", () => {
    const versions = (["ImageBuildSucceeded", "ImageBuildFailed"] as const).map((phase) =>
      makeModelVersion((version) => void (version.status = { imageBuildPhase: phase })),
    );
    expect(usersBesides(NEXT, observe({ versions }))).toEqual([]);
  });

  test("once it has begun, so that it never waits for those who wait for it", () => {
    const exporters = [exporter(NEXT, { storage: STORAGE }), exporter(job("first", completed))];
    const versions = [makeModelVersion()];
    expect(usersBesides(NEXT, observe({ exporters, versions, turn: job("first") }))).toEqual([]);
  });
});

describe("a job waits", () => {
  const FIRST = ["Job first"];

  test.each<[string, Partial<LocationObserved>, readonly string[]]>([
    [
      "for a build of what is there",
      { versions: [makeModelVersion()] },
      ["the build of ModelVersion mnist-v1"],
    ],
    [
      "for a job whose storage is made",
      { exporters: [exporter(job("first"), { storage: STORAGE })] },
      FIRST,
    ],
    [
      "for a job that was let go to a claim of the user's, though its pod has ended",
      {
        exporters: [exporter(job("first", onUserClaim), { pods: [pod("first", "Succeeded")] })],
      },
      FIRST,
    ],
    [
      "for a job that has succeeded, and is no version yet",
      { exporters: [exporter(job("first", completed))] },
      FIRST,
    ],
    ["for a job that was let go a moment ago", { turn: job("first") }, FIRST],
    [
      "for a pod that still ends after its job was deleted",
      { pods: [pod("deleted", "Running")] },
      ["Pod deleted-pod"],
    ],
  ])("%s", (_, parts, users) => {
    expect(usersBesides(NEXT, observe(parts))).toEqual(users);
  });

  test("for all that use the location, each named once", () => {
    const first = job("first");
    const parts = {
      versions: [makeModelVersion()],
      exporters: [exporter(first, { storage: STORAGE })],
      pods: [pod("first", "Running"), pod("deleted", "Running")],
      turn: first,
    };
    expect(usersBesides(NEXT, observe(parts))).toEqual([
      "the build of ModelVersion mnist-v1",
      "Job first",
      "Pod deleted-pod",
    ]);
  });

  test("for no pod that has ended, or does not write", () => {
    const pods = [
      pod("ended", "Succeeded"),
      pod("failed", "Failed"),
      pod("pending", "Pending"),
      pod("replica", "Running", withScratch),
    ];
    expect(usersBesides(NEXT, observe({ pods }))).toEqual([]);
  });
});

test("a build waits for whoever may write, but not for the job that wrote what it builds", () => {
  const observed = observe({
    versions: [makeModelVersion()],
    exporters: [exporter(job("own", completed)), exporter(job("first"), { storage: STORAGE })],
    pods: [pod("own", "Running")],
  });
  const own = { uid: "uid-of-own", namespace: "team-a" };
  expect(writersBesides(own, observed)).toEqual(["Job first"]);
  expect(writersBesides({ namespace: "team-a" }, observed)).toEqual(["Job own", "Job first"]);
  // What others call theirs is nobody's business.
  expect(writersBesides({ namespace: "team-b" }, observed)).toEqual(["a Job of another namespace"]);
});

describe("the pods of its own job for which a build waits", () => {
  const MADE = "2024-01-01T00:00:00Z";
  const version = makeModelVersion((each) => {
    each.metadata.creationTimestamp = MADE;
    each.metadata.labels = { [LABELS.jobUid]: "uid-of-own" };
  });
  const running = pod("own", "Running");

  test.each<[string, readonly MadePod[], number, readonly string[]]>([
    ["are those that run and write", [running], 0, ["Pod own-pod"]],
    ["are those still, ten minutes after it was made", [running], 600, ["Pod own-pod"]],
    ["are none later, since some never end", [running], 601, []],
    ["are none that has ended", [pod("own", "Succeeded"), pod("own", "Failed")], 0, []],
    ["are none that writes to scratch space", [pod("own", "Running", withScratch)], 0, []],
    ["are none of another job", [pod("first", "Running")], 0, []],
  ])("%s", (_, pods, seconds, expected) => {
    expect(lateWriters(version, { pods }, parseTime(MADE) + seconds * 1000)).toEqual(expected);
  });

  test.each([
    makeModelVersion((each) => void (each.metadata.creationTimestamp = MADE)),
    makeModelVersion((each) => void (each.metadata.labels = { [LABELS.jobUid]: "uid-of-own" })),
  ])("are none where it comes from no job, or is not stored", (each) => {
    expect(lateWriters(each, { pods: [running] }, parseTime(MADE))).toEqual([]);
  });
});

describe("a job has begun", () => {
  const tfjob = makeOwningJob("TFJob");
  const none = { pods: [], storage: undefined };

  test.each<[string, Exporter]>([
    [
      "from the moment that it is noted on it, though nothing else is seen yet",
      { ...tfjob, ...none, job: withRecord(tfjob.job, {}) },
    ],
    ["when its storage is there", { ...tfjob, ...none, storage: STORAGE }],
    [
      "when it has ended",
      {
        ...makeOwningJob("TFJob", (each) => {
          each.status = { conditions: [{ type: "Failed", status: "True" }] };
        }),
        ...none,
      },
    ],
    [
      "when it is a pod that has ended",
      { ...makeBarePod((each) => void (each.status = { phase: "Succeeded" })), ...none },
    ],
  ])("%s", (_, each) => {
    expect(hasBegun(each)).toBe(true);
  });

  test.each<[string, Exporter]>([
    ["while none of this shows", { ...tfjob, ...none }],
    [
      "by the record of a job of another UID, of which it is a copy",
      { ...tfjob, ...none, job: withRecord(tfjob.job, { uid: "another" }) },
    ],
    ["while it is a pod behind its gate", { ...makeBarePod(), ...none }],
  ])("not %s", (_, each) => {
    expect(hasBegun(each)).toBe(false);
  });
});

function trainOf(name: "TFJob" | "PyTorchJob"): OwningJob {
  return makeOwningJob(name, (each) => void (each.metadata.uid = `uid-of-${name}`));
}

test("two jobs of one name and of two kinds are two: one waits for the other", () => {
  const [first, second] = [trainOf("TFJob"), trainOf("PyTorchJob")];
  const exporters = [
    { ...first, pods: [], storage: STORAGE },
    { ...second, pods: [], storage: undefined },
  ];
  expect(usersBesides(second.job, observe({ exporters }))).toEqual(["TFJob train"]);
  expect(usersBesides(first.job, observe({ exporters }))).toEqual([]);
});
