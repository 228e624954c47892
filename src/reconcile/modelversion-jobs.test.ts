import { describe, expect, test } from "vitest";
import { makeModelVersion } from "../../test/make/modelversion.ts";
import type { Job, ObjectMeta, Pod } from "../api/kube-types.ts";
import { buildJobName } from "../api/names.ts";
import { controlledBy } from "../api/owner-reference.ts";
import { attemptsOf, podsOf, podsOfAttempts } from "./modelversion-jobs.ts";

const UID = "0123abcd-4567-89ef-0123-456789abcdef";
const VERSION = makeModelVersion((version) => void (version.metadata.uid = UID));

function makeJob(metadata: ObjectMeta = {}): Job {
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: {
      name: buildJobName(UID, 12),
      uid: "job",
      ownerReferences: [controlledBy(VERSION)],
      ...metadata,
    },
  };
}

function makePod(metadata: ObjectMeta = {}): Pod {
  return { metadata: { ownerReferences: [controlledBy(makeJob())], ...metadata } };
}

describe("a Job with the version's label is an attempt", () => {
  test("when the version controls it and it has the name of one", () => {
    expect(attemptsOf(VERSION, [makeJob()])).toEqual([makeJob()]);
  });

  test.each<[string, ObjectMeta]>([
    ["nobody controls it", { ownerReferences: [] }],
    [
      "the version only owns it",
      { ownerReferences: [{ ...controlledBy(VERSION), controller: false }] },
    ],
    [
      "another version controls it",
      { ownerReferences: [{ ...controlledBy(VERSION), uid: "other" }] },
    ],
    ["it has another name", { name: "mine" }],
    ["its number is none", { name: `${buildJobName(UID, 1)}x` }],
  ])("but not when %s", (_, metadata) => {
    expect(attemptsOf(VERSION, [makeJob(metadata)])).toEqual([]);
  });
});

describe("a pod with the version's label is one of an attempt", () => {
  test("when a Job of such a name controls it, gone or not", () => {
    expect(podsOfAttempts(VERSION, [makePod()])).toEqual([makePod()]);
  });

  test.each<[string, ObjectMeta]>([
    ["nobody controls it", { ownerReferences: [] }],
    ["another Job controls it", { ownerReferences: [controlledBy(makeJob({ name: "mine" }))] }],
    [
      "something else of that name controls it",
      { ownerReferences: [{ ...controlledBy(makeJob()), kind: "ReplicaSet" }] },
    ],
  ])("but not when %s", (_, metadata) => {
    expect(podsOfAttempts(VERSION, [makePod(metadata)])).toEqual([]);
  });
});

test("a Job has the pods that it controls, and none that only name it as an owner", () => {
  const claimed = makePod({
    ownerReferences: [{ ...controlledBy(makeJob()), controller: false }],
  });
  expect(podsOf(makeJob(), [claimed, makePod()])).toEqual([makePod()]);
});
