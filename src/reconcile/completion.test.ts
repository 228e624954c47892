import { describe, expect, test } from "vitest";
import { makeSettings } from "../../test/make/build.ts";
import { makeExport } from "../../test/make/export.ts";
import { withRecord } from "../../test/make/exporting.ts";
import type { Draft, Tweak } from "../../test/make/frozen.ts";
import { makeHeldJob, makeJob, type MadeJob } from "../../test/make/job.ts";
import { makeModelVersion } from "../../test/make/modelversion.ts";
import { patched } from "../../test/make/patched.ts";
import { JOB_UID, makeTrainingPod, type MadePod } from "../../test/make/pod.ts";
import { makeRequest } from "../../test/make/request.ts";
import { makeSnapshot } from "../../test/make/snapshot.ts";
import { decideModelVersion } from "../admission/modelversion.ts";
import { ANNOTATIONS, LABELS, type ExportIntent } from "../api/annotations.ts";
import type { ExportRecord } from "../api/export-record.ts";
import type { ModelVersion } from "../api/modelversion.ts";
import { exportedVersionNames } from "../api/names.ts";
import { EXPORT_VOLUME } from "../inject/completion-hook.ts";
import { BATCH_JOB } from "../jobs/kinds.ts";
import type { Action } from "./action.ts";
import { reconcileCompletion, type CompletionObserved } from "./completion.ts";

const VOLUME = {
  apiVersion: "v1",
  kind: "PersistentVolume",
  metadata: { name: "mh-1", uid: "pv" },
};
const CLAIM = {
  apiVersion: "v1",
  kind: "PersistentVolumeClaim",
  metadata: { name: "mh-1", namespace: "team-a", uid: "pvc" },
};

function withStatus(type: string, tweak: Tweak<MadeJob> = () => {}): MadeJob {
  return makeHeldJob((job) => {
    job.status = {
      conditions: [{ type, status: "True" }],
      startTime: "2024-01-01T00:00:00Z",
      completionTime: "2024-01-01T01:00:00Z",
    };
    tweak(job);
  });
}

function exporting(intent: ExportIntent): MadeJob {
  return withStatus("Complete", (job) => {
    job.spec.template.metadata.annotations = { [ANNOTATIONS.export]: JSON.stringify(intent) };
  });
}

/** A pod of the job that has ended; one that writes, or a replica with scratch space. */
function ended(name: string, phase: string, isWriter = true): MadePod {
  return makeTrainingPod((pod) => {
    pod.metadata.name = name;
    pod.spec.nodeName = `node-of-${name}`;
    pod.spec.containers = [{ name: "trainer", image: `registry.example/${name}:1` }];
    pod.status = { phase };
    pod.spec.volumes = [
      {
        name: EXPORT_VOLUME,
        ...(isWriter ? { persistentVolumeClaim: { claimName: "mh-1" } } : { emptyDir: {} }),
      },
    ];
  });
}

function reconcile(tweak: Tweak<Draft<CompletionObserved>> = () => {}): readonly Action[] {
  const observed: Draft<CompletionObserved> = {
    now: Date.UTC(2024, 0, 2),
    job: withStatus("Complete"),
    kind: BATCH_JOB,
    settings: makeSettings(),
    check: undefined,
    checkPods: [],
    pods: [],
    volume: undefined,
    claim: undefined,
    versions: [],
  };
  tweak(observed);
  return reconcileCompletion(observed);
}

function versionOf(actions: readonly Action[]): ModelVersion | undefined {
  const made = actions.find((action) => action.type === "create");
  return made?.object as ModelVersion | undefined;
}

function creationIn(actions: readonly Action[]): Extract<Action, { type: "create" }> {
  const made = actions.find((action) => action.type === "create");
  if (made === undefined) throw new Error("nothing is created");
  return made;
}

function deletedAt(time: string): Tweak<MadeJob> {
  return (job) => void (job.metadata.deletionTimestamp = time);
}

function namedVersion(name: string, jobUid?: string): ModelVersion {
  return makeModelVersion((version) => {
    version.metadata.name = name;
    if (jobUid !== undefined) version.metadata.labels = { [LABELS.jobUid]: jobUid };
  });
}

function typesOf(actions: readonly Action[]): readonly string[] {
  return actions.map(({ type }) => type);
}

describe("a job that succeeded", () => {
  test("becomes a ModelVersion, and is told of", () => {
    const actions = reconcile();
    expect(typesOf(actions)).toEqual(["create", "event"]);
    expect(actions[1]).toMatchObject({
      kind: "Normal",
      reason: "Exported",
      ref: { kind: "Job", name: "train" },
      message: "the model is ModelVersion mnist-11111",
    });
  });

  test("is let go once its version is seen, so that its location is never free before", () => {
    const versions = [namedVersion("mnist-11111", JOB_UID)];
    const [release, ...others] = reconcile((each) => void (each.versions = versions));
    expect(others).toEqual([]);
    if (release?.type !== "patch") throw new Error("the last action is no patch");
    expect(patched(withStatus("Complete"), release.operations).metadata.finalizers).toEqual([]);
  });

  test("of which the version names what the annotation states, and where it comes from", () => {
    expect(
      versionOf(reconcile((each) => void (each.pods = [ended("train-x", "Succeeded")]))),
    ).toEqual({
      apiVersion: "model.kubedl.io/v1alpha1",
      kind: "ModelVersion",
      metadata: {
        name: "mnist-11111",
        namespace: "team-a",
        labels: { "model.kubedl.io/job-uid": JOB_UID, "model.kubedl.io/model-name": "mnist" },
        finalizers: ["model.kubedl.io/export"],
        annotations: {
          "model.kubedl.io/job-uid": JOB_UID,
          "model.kubedl.io/job-kind": "Job",
          "model.kubedl.io/job-name": "train",
          "model.kubedl.io/pod": "train-x",
          "model.kubedl.io/node": "node-of-train-x",
          "model.kubedl.io/training-image": "registry.example/train-x:1",
          "model.kubedl.io/started-at": "2024-01-01T00:00:00Z",
          "model.kubedl.io/completed-at": "2024-01-01T01:00:00Z",
        },
      },
      spec: {
        modelName: "mnist",
        imageRepo: "registry.example/models/mnist",
        createdBy: "Job/train",
        storage: { localStorage: { path: "/models/mnist", nodeName: "node-1" } },
      },
    });
  });

  test("of which the version passes our own admission", () => {
    const version = versionOf(reconcile());
    if (version === undefined) throw new Error("no version is made");
    const snapshot = makeSnapshot();
    const request = makeRequest(version, (each) => {
      each.userInfo = { username: snapshot.policy.controllerUser };
    });
    expect(decideModelVersion(request, snapshot)).toMatchObject({ allowed: true });
  });

  test("passes on tag, builder and createdBy, and nothing else of the annotation", () => {
    const job = exporting(
      makeExport((each) => {
        each.imageTag = "v1";
        each.createdBy = "alice";
        each.builder = { pushSecret: { name: "push" } };
        each.writers = "all";
      }),
    );
    expect(versionOf(reconcile((each) => void (each.job = job)))?.spec).toEqual({
      modelName: "mnist",
      imageRepo: "registry.example/models/mnist",
      imageTag: "v1",
      createdBy: "alice",
      builder: { pushSecret: { name: "push" } },
      storage: { localStorage: { path: "/models/mnist", nodeName: "node-1" } },
    });
  });

  test("that wrote to a clean directory names that directory", () => {
    const job = exporting(makeExport((each) => void (each.clean = true)));
    expect(versionOf(reconcile((each) => void (each.job = job)))?.spec.storage).toEqual({
      localStorage: { path: "/models/mnist/1111111122", nodeName: "node-1" },
    });
  });

  describe("names the pod that wrote, its node and its image", () => {
    const NOTED = { pod: "noted", node: "node-of-noted", image: "registry.example/noted:1" };
    test.each<[string, readonly MadePod[], Partial<ExportRecord> | undefined, string | undefined]>([
      [
        "not one that only succeeded",
        [
          ended("second", "Succeeded", false),
          ended("failed", "Failed"),
          ended("first", "Succeeded"),
        ],
        undefined,
        "first",
      ],
      ["rather than the one that was noted", [ended("first", "Succeeded")], NOTED, "first"],
      [
        "as it was noted, of several of which none has succeeded",
        [ended("other", "Failed"), ended("noted", "Running")],
        NOTED,
        "noted",
      ],
      ["as it was noted, when all are gone", [], NOTED, "noted"],
      ["as it was noted, when only others are there", [ended("other", "Failed")], NOTED, "noted"],
      ["which none was noted of", [ended("other", "Failed")], {}, "other"],
      ["but none when all are gone and none was noted", [], {}, undefined],
      [
        "but none by the record of another UID, whose manifest this is a copy of",
        [],
        { ...NOTED, uid: "another" },
        undefined,
      ],
    ])("%s", (_, pods, record, name) => {
      const job = withStatus("Complete");
      const actions = reconcile((each) => {
        Object.assign(each, { pods, job: record === undefined ? job : withRecord(job, record) });
      });
      const annotations = versionOf(actions)?.metadata.annotations ?? {};
      expect([
        annotations["model.kubedl.io/pod"],
        annotations["model.kubedl.io/node"],
        annotations["model.kubedl.io/training-image"],
      ]).toEqual(
        name === undefined
          ? [undefined, undefined, undefined]
          : [name, `node-of-${name}`, `registry.example/${name}:1`],
      );
      expect(Object.values(annotations)).not.toContain(undefined);
    });
  });

  test("is exported though it is being deleted", () => {
    const job = withStatus("Complete", (each) => {
      each.metadata.deletionTimestamp = "2024-01-01T02:00:00Z";
    });
    expect(typesOf(reconcile((each) => void (each.job = job)))).toContain("create");
  });

  test("frees the volume and claim that were made for it", () => {
    const versions = [namedVersion("mnist-11111", JOB_UID)];
    const actions = reconcile(
      (each) => void Object.assign(each, { versions, volume: VOLUME, claim: CLAIM }),
    );
    expect(actions.filter(({ type }) => type === "delete")).toEqual([
      { type: "delete", ref: expect.objectContaining({ uid: "pvc" }) as unknown },
      { type: "delete", ref: expect.objectContaining({ uid: "pv" }) as unknown },
    ]);
    expect(typesOf(actions).at(-1)).toBe("patch");
  });

  test("does not free what is going already", () => {
    const versions = [namedVersion("mnist-11111", JOB_UID)];
    const claim = { ...CLAIM, metadata: { ...CLAIM.metadata, deletionTimestamp: "now" } };
    const actions = reconcile((each) => void Object.assign(each, { versions, claim }));
    expect(typesOf(actions)).toEqual(["patch"]);
  });
});

describe("the version of a job", () => {
  const [short = "", longer = "", longest = ""] = exportedVersionNames("mnist", JOB_UID);

  test("is not made twice, whatever its name", () => {
    const versions = [namedVersion("renamed", JOB_UID)];
    expect(typesOf(reconcile((each) => void (each.versions = versions)))).toEqual(["patch"]);
  });

  test.each([
    [[short], longer],
    [[short, longer], longest],
  ])("is not called %s when others are: %s", (taken, name) => {
    const versions = taken.map((each) => namedVersion(each, "another"));
    expect(versionOf(reconcile((each) => void (each.versions = versions)))?.metadata.name).toBe(
      name,
    );
  });

  test("is made when all write and its success policy did without index 0", () => {
    const job = exporting(makeExport((each) => void (each.writers = "all")));
    const indexed = { ...job, spec: { ...job.spec, completionMode: "Indexed" } };
    expect(versionOf(reconcile((each) => void (each.job = indexed)))).toBeDefined();
  });

  test("is given up, with an event, when others have all its names", () => {
    const versions = [short, longer, longest].map((name) => namedVersion(name));
    const actions = reconcile((each) => void (each.versions = versions));
    expect(actions[0]).toMatchObject({
      kind: "Warning",
      reason: "ExportSkipped",
      message: `every name that the version could have is taken (${short}, ${longer}, ${longest}); its model is not exported`,
    });
    expect(typesOf(actions)).toEqual(["event", "patch"]);
  });
});

describe("a job whose version the API server refuses", () => {
  test.each<[string, MadeJob]>([
    ["that is there", withStatus("Complete")],
    ["that was deleted a moment ago", withStatus("Complete", deletedAt("2024-01-01T23:55:00Z"))],
  ])("%s is told of it, and kept for another try", (_, job) => {
    const { refused = [] } = creationIn(reconcile((each) => void (each.job = job)));
    expect(refused).toMatchObject([
      {
        type: "event",
        kind: "Warning",
        reason: "CreateRefused",
        ref: { kind: "Job", name: "train" },
        message: "ModelVersion mnist-11111 is refused; it is tried again",
      },
      { type: "requeueAfter", ms: 30_000 },
    ]);
  });

  test("that was deleted long ago is let go", () => {
    const job = withStatus("Complete", deletedAt("2024-01-01T23:49:00Z"));
    const { refused = [] } = creationIn(reconcile((each) => void (each.job = job)));
    expect(typesOf(refused)).toEqual(["event", "patch"]);
    expect(refused[0]).toMatchObject({
      reason: "ExportSkipped",
      message:
        "the job was deleted, and its ModelVersion is still refused; its model is not exported",
    });
  });

  test("is let go when its namespace ends, which would wait for it for ever", () => {
    const { namespaceEnds = [] } = creationIn(
      reconcile((each) => void Object.assign(each, { volume: VOLUME, claim: CLAIM })),
    );
    expect(typesOf(namespaceEnds)).toEqual(["event", "delete", "delete", "patch"]);
    expect(namespaceEnds[0]).toMatchObject({
      reason: "ExportSkipped",
      message: "the namespace is being deleted; its model is not exported",
    });
  });
});

describe("a job is let go without a version, with an event", () => {
  test.each<[string, MadeJob, string]>([
    ["when it failed", withStatus("Failed"), "the job failed; its model is not exported"],
    [
      "when it is deleted before it succeeded",
      makeHeldJob((job) => void (job.metadata.deletionTimestamp = "2024-01-01T00:00:00Z")),
      "the job was deleted before it succeeded; its model is not exported",
    ],
    [
      "when its annotation can not be read",
      withStatus("Complete", (job) => {
        job.spec.template.metadata.annotations = { [ANNOTATIONS.export]: "{" };
      }),
      "the job's export annotation can not be read; its model is not exported",
    ],
    [
      "when its success policy did without the pod that writes",
      withStatus("Complete", (job) => {
        job.spec.completionMode = "Indexed";
        job.status = { ...job.status, completedIndexes: "1-3" };
      }),
      "the job succeeded without its completion index 0, which writes the model (completed: 1-3); its model is not exported",
    ],
    [
      "when its pods were told to write elsewhere than what it exports lies now",
      withRecord(withStatus("Complete"), { claim: "mh-of-before" }),
      "what the job exports was changed while it ran: its pods wrote to the claim mh-of-before; its model is not exported",
    ],
    [
      "when its annotation names two storages",
      exporting(makeExport((each) => void (each.storage.nfs = { server: "nfs", path: "/" }))),
      "the job's export annotation can not be read; its model is not exported",
    ],
  ])("%s", (_, job, message) => {
    const actions = reconcile(
      (each) => void Object.assign(each, { job, volume: VOLUME, claim: CLAIM }),
    );
    expect(actions[0]).toMatchObject({ kind: "Warning", reason: "ExportSkipped", message });
    expect(typesOf(actions)).toEqual(["event", "delete", "delete", "patch"]);
  });
});

describe("nothing is done", () => {
  test.each<[string, MadeJob]>([
    ["for a job that runs", makeHeldJob()],
    [
      "for a job that is not held",
      withStatus("Complete", (job) => void (job.metadata.finalizers = ["other"])),
    ],
    [
      "for a job that was let go",
      withStatus("Complete", (job) => void delete job.metadata.finalizers),
    ],
    ["for a job that exports nothing", makeJob()],
  ])("%s", (_, job) => {
    expect(reconcile((each) => void (each.job = job))).toEqual([]);
  });
});

test("the finalizer is taken off only where it was seen", () => {
  const seen = withStatus("Failed", (job) => void job.metadata.finalizers?.unshift("other"));
  const release = reconcile((each) => void (each.job = seen)).at(-1);
  if (release?.type !== "patch") throw new Error("the last action is no patch");
  expect(patched(seen, release.operations).metadata.finalizers).toEqual(["other"]);
  const moved = withStatus("Failed", (job) => void job.metadata.finalizers?.push("other"));
  expect(() => patched(moved, release.operations)).toThrow(/Test operation failed/);
});
