import { describe, expect, test } from "vitest";
import { makeExport } from "../../test/make/export.ts";
import { makeAdmittedPod, withRecord } from "../../test/make/exporting.ts";
import type { Draft, Tweak } from "../../test/make/frozen.ts";
import { makeHeldJob } from "../../test/make/job.ts";
import { makeLimits } from "../../test/make/limits.ts";
import type { MadePod } from "../../test/make/pod.ts";
import { afterPatches, stepsOf } from "../../test/make/steps.ts";
import { exportRecordOf, type ExportRecord } from "../api/export-record.ts";
import type { KubeObject } from "../api/kube-types.ts";
import { BATCH_JOB } from "../jobs/kinds.ts";
import { reconcileExportingPod, type ExportingPodObserved } from "./export-gate.ts";
import { exportClaimOf } from "./location.ts";

const JOB = makeHeldJob((job) => void (job.metadata.annotations = {}));
const CLAIM = exportClaimOf(pod("train-a")) ?? "";

/** A pod of the job that was let go, and runs. */
function pod(name: string, tweak: Tweak<MadePod> = () => {}): MadePod {
  return makeAdmittedPod({ intent: makeExport(), owners: [JOB] }, (each) => {
    each.metadata.name = name;
    each.spec.nodeName = `node-of-${name}`;
    each.status = { phase: "Running" };
    tweak(each);
  });
}

function jobWith(record: Partial<ExportRecord> | undefined): KubeObject {
  return record === undefined ? JOB : withRecord(JOB, { claim: CLAIM, ...record });
}

function noteOf(
  each: MadePod,
  record: Partial<ExportRecord> | undefined,
  tweak: Tweak<Draft<ExportingPodObserved>> = () => {},
): { readonly steps: readonly string[]; readonly record: ExportRecord | undefined } {
  const job = jobWith(record);
  const observed: Draft<ExportingPodObserved> = {
    pod: each,
    owning: { job, kind: BATCH_JOB },
    limits: makeLimits(),
    hostname: "node-1.example",
    volume: undefined,
    claim: undefined,
    users: [],
    noted: undefined,
  };
  tweak(observed);
  const actions = reconcileExportingPod(observed);
  return { steps: stepsOf(actions), record: exportRecordOf(afterPatches(job, actions)) };
}

const NOTED = {
  pod: "train-a",
  node: "node-of-train-a",
  image: "registry.example/trainer:1",
} as const;

function trains(each: MadePod): void {
  each.spec.containers = [{ name: "trainer", image: NOTED.image }];
}

describe("the pod that writes is noted on the job", () => {
  test("with its node and image once it runs, beside what is noted already", () => {
    const { steps, record } = noteOf(pod("train-a", trains), { binding: "trainers" });
    expect(steps).toEqual(["patch Job"]);
    expect(record).toMatchObject({ claim: CLAIM, binding: "trainers", ...NOTED });
  });

  test("also when it has ended before it was seen to run", () => {
    const ended = pod("train-a", (each) => {
      trains(each);
      each.status = { phase: "Succeeded" };
    });
    expect(noteOf(ended, {}).record).toMatchObject(NOTED);
  });

  test("anew when it was made again under another name", () => {
    const { record } = noteOf(pod("train-b", trains), NOTED);
    expect(record).toMatchObject({ ...NOTED, pod: "train-b", node: "node-of-train-b" });
  });

  test("anew when it was made again under its name on another node", () => {
    const { record } = noteOf(
      pod("train-a", (each) => {
        trains(each);
        each.spec.nodeName = "another";
      }),
      NOTED,
      (observed) => void (observed.noted = observed.pod),
    );
    expect(record).toMatchObject({ ...NOTED, node: "another" });
  });

  test("anew while the one before still ends", () => {
    const ending = pod("train-a", (each) => {
      each.metadata.deletionTimestamp = "2024-01-01T00:00:00Z";
    });
    const { record } = noteOf(pod("train-b"), NOTED, (observed) => void (observed.noted = ending));
    expect(record?.pod).toBe("train-b");
  });
});

describe("nothing is noted", () => {
  test.each<[string, MadePod, Partial<ExportRecord> | undefined]>([
    ["twice", pod("train-a", trains), NOTED],
    ["of a pod that has no node", pod("train-a", (each) => void delete each.spec.nodeName), {}],
    ["of a job that was not let go", pod("train-a"), undefined],
    ["of a pod with another claim", pod("train-a"), { claim: "mh-of-another-directory" }],
    [
      "of a replica that does not write",
      pod("train-a", (each) => {
        each.metadata.annotations = {
          ...each.metadata.annotations,
          "batch.kubernetes.io/job-completion-index": "1",
        };
      }),
      {},
    ],
    [
      "of a pod that ended after another was noted",
      pod("train-b", (each) => void (each.status = { phase: "Failed" })),
      NOTED,
    ],
    [
      "of a pod that is being deleted",
      pod("train-a", (each) => void (each.metadata.deletionTimestamp = "2024-01-01T00:00:00Z")),
      {},
    ],
  ])("%s", (_, each, record) => {
    // It waits behind no gate: its claim is there, or its storage would be made.
    const ungated = { ...each, spec: { ...each.spec, schedulingGates: [] } };
    expect(noteOf(ungated, record).steps).toEqual([]);
  });

  test("of the other pods when several write, or two passes would note in turns for ever", () => {
    const { steps } = noteOf(pod("train-b"), NOTED, (observed) => {
      observed.noted = pod("train-a");
    });
    expect(steps).toEqual([]);
  });
});
