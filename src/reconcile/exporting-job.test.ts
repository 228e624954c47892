import { describe, expect, test } from "vitest";
import { makeExport } from "../../test/make/export.ts";
import { makeHeldJob } from "../../test/make/job.ts";
import {
  makeAdmittedPod,
  makeBarePod,
  makeOwningJob,
  POD_UID,
  withRecord,
  type MadeObject,
} from "../../test/make/exporting.ts";
import type { Tweak } from "../../test/make/frozen.ts";
import { patched } from "../../test/make/patched.ts";
import { JOB_UID, makePod, makeTrainingPod } from "../../test/make/pod.ts";
import { makeJobKind } from "../../test/make/workload.ts";
import { ANNOTATIONS, FINALIZERS, LABELS, type ExportIntent } from "../api/annotations.ts";
import { exportRecordOf } from "../api/export-record.ts";
import { BATCH_JOB } from "../jobs/kinds.ts";
import type { OwningJob } from "../jobs/owner.ts";
import { deepFreeze } from "../kube/freeze.ts";
import {
  exportBindingOf,
  exportIntentOf,
  exportingJobOf,
  jobUidOf,
  markJob,
  noteRecord,
} from "./exporting-job.ts";

const RECORD = { uid: JOB_UID, claim: "mh-1" };
const INTENT = makeExport();
const OTHER = makeExport((each) => void (each.modelName = "other"));

function job(tweak: Tweak<MadeObject> = () => {}): MadeObject {
  return makeOwningJob("TFJob", tweak).job;
}

function patchOf(of: MadeObject, record?: typeof RECORD) {
  const [action, ...others] = markJob(of, record);
  if (action?.type !== "patch" || others.length > 0) throw new Error("it is not one patch");
  return action.operations;
}

function changed(of: MadeObject, metadata: object): MadeObject {
  return { ...of, metadata: { ...of.metadata, ...metadata } };
}

describe("a job is marked", () => {
  test("by finalizer and label where nobody held it, and others' stay", () => {
    const before = job((each) => {
      each.metadata.finalizers = ["other"];
      each.metadata.labels = { app: "train" };
    });
    expect(patched(before, patchOf(before)).metadata).toMatchObject({
      finalizers: ["other", FINALIZERS.export],
      labels: { app: "train", [LABELS.export]: "true" },
    });
  });

  test("by its record alone where it is held", () => {
    const before = job((each) => void (each.metadata.annotations = { app: "train" }));
    const operations = patchOf(before, RECORD);
    expect(operations.map(({ path }) => path)).toEqual([
      "/metadata/uid",
      "/metadata/annotations/model.kubedl.io~1export-record",
    ]);
    expect(exportRecordOf(patched(before, operations))).toEqual(RECORD);
  });

  test("not at all when it is held and there is nothing to note", () => {
    expect(markJob(job(), undefined)).toEqual([]);
  });

  test("by its record without another finalizer, when the pass holds it already", () => {
    const before = job((each) => {
      each.metadata.finalizers = [];
      each.metadata.annotations = {};
    });
    const held = patched(before, patchOf(before));
    const [note] = noteRecord(before, RECORD);
    if (note?.type !== "patch") throw new Error("it is no patch");
    const after = patched(held, note.operations);
    expect(after.metadata.finalizers).toEqual([FINALIZERS.export]);
    expect(exportRecordOf(after)).toEqual(RECORD);
  });
});

describe("the patch that marks a job", () => {
  test.each<[string, Tweak<MadeObject>]>([
    ["finalizers", (each) => void delete each.metadata.finalizers],
    ["labels", (each) => void delete each.metadata.labels],
    ["annotations", () => {}],
  ])("makes %s where there are none, of no other resourceVersion than was seen", (_, tweak) => {
    const [precondition] = patchOf(job(tweak), RECORD);
    // The API server answers 409 to another resourceVersion.
    expect(precondition).toEqual({
      op: "replace",
      path: "/metadata/resourceVersion",
      value: "7",
    });
  });

  test.each(["finalizers", "labels", "annotations"])("reads null %s as none", (field) => {
    const before = changed(job(), { annotations: {}, [field]: null });
    const after = patched(before, patchOf(before, RECORD));
    expect(after.metadata).toMatchObject({
      finalizers: [FINALIZERS.export],
      labels: { [LABELS.export]: "true" },
    });
    expect(exportRecordOf(after)).toEqual(RECORD);
  });

  test("that adds to what is there does not fit another job of the name, and fits one that changed", () => {
    const before = job((each) => void (each.metadata.annotations = {}));
    const operations = patchOf(before, RECORD);
    expect(() => patched(changed(before, { uid: "another" }), operations)).toThrow(
      /Test operation failed/,
    );
    const later = changed(before, { resourceVersion: "8", annotations: { app: "train" } });
    expect(exportRecordOf(patched(later, operations))).toEqual(RECORD);
  });

  test("does not fit when another record was noted meanwhile", () => {
    const before = withRecord(job(), { claim: "mh-1" });
    const operations = patchOf(before, RECORD);
    expect(exportRecordOf(patched(before, operations))).toEqual(RECORD);
    const later = withRecord(before, { claim: "mh-1", pod: "train-a" });
    expect(() => patched(later, operations)).toThrow(/Test operation failed/);
  });
});

describe("what a job exports", () => {
  test.each(["TFJob", "PyTorchJob", "JobSet", "RayJob"] as const)(
    "is what the templates of a %s say",
    (name) => {
      expect(exportIntentOf(makeOwningJob(name))).toEqual(INTENT);
    },
  );

  test("is what its templates say, whatever its own annotation says", () => {
    const owning = makeOwningJob("TFJob", (each) => {
      each.metadata.annotations = { [ANNOTATIONS.export]: JSON.stringify(OTHER) };
    });
    expect(exportIntentOf(owning)).toEqual(INTENT);
  });

  test.each<[string, OwningJob, ExportIntent]>([
    [
      "its template, which nobody can change, of a Job",
      { job: makeHeldJob(), kind: BATCH_JOB },
      INTENT,
    ],
    ["its record, whatever its templates say now, of a TFJob", makeOwningJob("TFJob"), OTHER],
    ["its record, whatever its annotation says now, of a pod", makeBarePod(), OTHER],
  ])("is, once it was let go, %s", (_, owning, intent) => {
    const noted = withRecord(owning.job, { intent: OTHER });
    expect(exportIntentOf({ ...owning, job: noted })).toEqual(intent);
  });

  test.each<[string, string | undefined]>([
    ["nothing", undefined],
    ["nothing that can be read", "{"],
    ["no storage", JSON.stringify({ ...INTENT, storage: {} })],
  ])("is what was noted when its pods were let go, if its templates say %s", (_, text) => {
    const owning = makeOwningJob("TFJob", (each) => {
      const annotations = text === undefined ? {} : { [ANNOTATIONS.export]: text };
      each.spec = { tfReplicaSpecs: { Worker: { template: { metadata: { annotations } } } } };
    });
    expect(exportIntentOf(owning)).toBeUndefined();
    const bound = { ...owning, job: withRecord(owning.job, { intent: OTHER }) };
    expect(exportIntentOf(bound)).toEqual(OTHER);
    const copy = { ...owning, job: withRecord(owning.job, { uid: "another", intent: OTHER }) };
    expect(exportIntentOf(copy)).toBeUndefined();
  });

  test("is what a TrainJob passes on to the JobSet that it makes", () => {
    const kind = makeJobKind("TrainJob");
    const annotations = { [ANNOTATIONS.export]: JSON.stringify(INTENT) };
    const of = (content: object) => ({ job: deepFreeze({ metadata: {}, ...content }), kind });
    expect(exportIntentOf(of({ spec: { annotations } }))).toEqual(INTENT);
    expect(exportIntentOf(of({ metadata: { annotations }, spec: {} }))).toBeUndefined();
  });

  test("is, of a pod that is its own job, what it was told", () => {
    expect(exportIntentOf(makeBarePod())).toEqual(INTENT);
  });
});

describe("the binding that asked for a pod's export", () => {
  test("is the one that admission noted", () => {
    const { job: owner } = makeOwningJob("TFJob", () => {}, { intent: undefined });
    const pod = makeAdmittedPod({ intent: INTENT, binding: "trainers", owners: [owner] });
    expect(exportBindingOf(pod)).toBe("trainers");
  });

  test.each([undefined, "", "x", "null", "7", '{"binding":7}'])(
    "is none when the status says %j",
    (status) => {
      const pod = makePod((each) => {
        each.metadata.annotations = status === undefined ? {} : { [ANNOTATIONS.status]: status };
      });
      expect(exportBindingOf(pod)).toBeUndefined();
    },
  );
});

describe("a job is known by the UID", () => {
  test.each([
    [
      "that admission noted, of the topmost one",
      makeTrainingPod((pod) => void (pod.metadata.labels = { [LABELS.jobUid]: "top" })),
      "top",
    ],
    ["of what controls the pod, when nothing is noted", makeTrainingPod(), JOB_UID],
    [
      "of the pod, which nothing controls, whatever it says",
      makePod((pod) => {
        pod.metadata.uid = POD_UID;
        pod.metadata.labels = { [LABELS.jobUid]: "forged" };
      }),
      POD_UID,
    ],
  ])("%s", (_, pod, uid) => {
    expect(jobUidOf(pod)).toBe(uid);
  });

  test("except in names of claims: a pod that is its own job had none when it was admitted", () => {
    expect(exportingJobOf(makeBarePod())).toEqual({ namespace: "team-a", uid: "" });
    expect(exportingJobOf(makeOwningJob("TFJob"))).toEqual({ namespace: "team-a", uid: JOB_UID });
  });
});
