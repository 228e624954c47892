import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { makeExport } from "../../test/make/export.ts";
import { makeHeldJob } from "../../test/make/job.ts";
import { JOB_UID } from "../../test/make/pod.ts";
import { EXPORT_RECORD, isAsking } from "./annotations.ts";
import { exportRecordOf, printExportRecord, type ExportRecord } from "./export-record.ts";
import type { KubeObject } from "./kube-types.ts";

const RECORD: ExportRecord = { uid: JOB_UID, claim: "mh-1" };

function jobWith(text: string): KubeObject {
  return makeHeldJob((job) => void (job.metadata.annotations = { [EXPORT_RECORD]: text }));
}

describe("a record is read as it was written,", () => {
  test.each<[string, ExportRecord]>([
    ["before a pod is known", RECORD],
    ["with all that is known", { ...RECORD, pod: "train-0", node: "node-1", image: "trainer:1" }],
    ["of a binding", { ...RECORD, binding: "exports", intent: makeExport() }],
    [
      "with every field of an intent",
      {
        ...RECORD,
        intent: makeExport((intent) => {
          Object.assign(intent, {
            createdBy: "alice",
            imageTag: "v1",
            clean: true,
            writers: "all",
          });
        }),
      },
    ],
    ["with the longest name", { ...RECORD, pod: "p".repeat(253) }],
  ])("%s", (_, record) => {
    expect(exportRecordOf(jobWith(printExportRecord(record)))).toEqual(record);
  });
});

describe("there is no record", () => {
  test.each<[string, string]>([
    ["in no text", ""],
    ["in what is no JSON", "{"],
    ["in null", "null"],
    ["in a list", JSON.stringify([RECORD])],
    ["in a text", JSON.stringify("uid")],
    ["without a UID", JSON.stringify({ claim: "mh-1" })],
    ["without a claim", JSON.stringify({ uid: JOB_UID })],
    ["whose claim is no text", JSON.stringify({ ...RECORD, claim: 5 })],
    ["whose pod is null", JSON.stringify({ ...RECORD, pod: null })],
    ["whose intent is none", JSON.stringify({ ...RECORD, intent: { modelName: "mnist" } })],
    ["of another job, whose manifest was copied", JSON.stringify({ ...RECORD, uid: "another" })],
    ["that is too long", JSON.stringify({ ...RECORD, pod: "p".repeat(32_768) })],
  ])("%s", (_, text) => {
    expect(exportRecordOf(jobWith(text))).toBeUndefined();
  });

  test("where the job has no annotation, or no metadata", () => {
    expect(exportRecordOf(makeHeldJob())).toBeUndefined();
    expect(exportRecordOf({})).toBeUndefined();
  });

  test("where neither the job nor the record has a UID", () => {
    const annotations = { [EXPORT_RECORD]: JSON.stringify({ claim: "mh-1" }) };
    expect(exportRecordOf({ metadata: { annotations } })).toBeUndefined();
  });
});

test("a record asks for nothing", () => {
  expect(isAsking(EXPORT_RECORD)).toBe(false);
});

test("no text makes it throw", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      expect(exportRecordOf(jobWith(text))).toBeUndefined();
    }),
  );
});
