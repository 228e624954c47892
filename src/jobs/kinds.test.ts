import { describe, expect, test } from "vitest";
import {
  JOB_EXAMPLES,
  exampleJob,
  examplePod,
  type JobExample,
} from "../../test/make/job-examples.ts";
import type { JobKind } from "./job-kind.ts";
import { BARE_POD, BATCH_JOB, BETWEEN, JOB_KINDS, jobKind, kindNames } from "./kinds.ts";
import { outcomeOf, timesOf } from "./outcome.ts";
import { apiVersionOf } from "../api/api-version.ts";
import { podTemplatesOf } from "./templates.ts";
import { isWriterPod, sizeOf, writerName } from "./writer.ts";

const ROWS: readonly JobKind[] = [...JOB_KINDS, BARE_POD];

function rowOf(example: JobExample): JobKind {
  const row = jobKind(ROWS, example);
  if (row === undefined) throw new Error(`${example.kind} is no row`);
  return row;
}

describe("jobKind", () => {
  test("finds a kind by its version and name", () => {
    expect(jobKind(JOB_KINDS, { apiVersion: "batch/v1", kind: "Job" })).toBe(BATCH_JOB);
    expect(jobKind(BETWEEN, { apiVersion: "ray.io/v1", kind: "RayCluster" })).toBe(BETWEEN[0]);
  });

  test.each([
    [undefined, undefined],
    ["batch/v1", "CronJob"],
    ["batch/v2", "Job"],
    ["training.kubedl.io/v1alpha1", "JAXJob"],
    ["v1", "Pod"],
  ])("does not know %s %s", (apiVersion, kind) => {
    expect(jobKind(JOB_KINDS, { apiVersion, kind })).toBeUndefined();
  });
});

test("a kind of several versions is named once", () => {
  const kinds = JOB_KINDS.filter(({ kind }) => kind === "MPIJob" || kind === "JobSet");
  expect(kinds).toHaveLength(3);
  expect(kindNames(kinds)).toBe("JobSet (jobset.x-k8s.io), MPIJob (kubeflow.org)");
});

test("there is one example of every kind", () => {
  const rows = ROWS.map((row) => ({ apiVersion: apiVersionOf(row), kind: row.kind }));
  expect(names(JOB_EXAMPLES)).toEqual(names(rows));
});

describe.each(JOB_EXAMPLES)("a $kind of $apiVersion", (example) => {
  const row = rowOf(example);
  const { running, succeeded, failed, pods } = example;
  const job = exampleJob(example, running);

  test.each([
    ["running", running],
    ["succeeded", succeeded],
    ["failed", failed],
    ["running", {}],
  ])("is %s by its status", (outcome, status) => {
    expect(outcomeOf(row, exampleJob(example, status))).toBe(outcome);
  });

  test("tells when it started and ended", () => {
    const { started, ended } = example;
    const times = timesOf(row, exampleJob(example, succeeded));
    expect(times).toEqual({ started, completed: ended });
  });

  test("has one pod that writes, and a name for it", () => {
    const owners = row === BARE_POD ? [] : [job];
    expect(pods.map((pod) => isWriterPod(row, examplePod(pod), owners))).toEqual(
      pods.map(({ writes }) => writes),
    );
    expect(pods.filter(({ writes }) => writes)).toHaveLength(1);
    expect(writerName(row, job)).toBe(example.writer);
  });

  test("counts its pods", () => {
    expect(sizeOf(row, job)).toBe(example.size);
  });

  test("has its templates where the row says", () => {
    const found = podTemplatesOf(job, row);
    expect(found.length > 0).toBe(row.places.length > 0);
    for (const { hasMetadata, annotations } of found) {
      expect({ hasMetadata, annotations }).toEqual({ hasMetadata: false, annotations: undefined });
    }
  });
});

function names(of: readonly { apiVersion: string; kind: string }[]): readonly string[] {
  return of.map(({ apiVersion, kind }) => `${apiVersion} ${kind}`).toSorted();
}
