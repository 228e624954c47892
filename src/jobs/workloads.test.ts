import { describe, expect, test } from "vitest";
import { apiVersionOf } from "../api/api-version.ts";
import type { Workload } from "./places.ts";
import { WORKLOADS, workloadOf } from "./workloads.ts";

describe("the table", () => {
  test("has each kind once", () => {
    const keys = WORKLOADS.map(({ group, version, kind }) => `${group}/${version}/${kind}`);
    expect(new Set(keys).size).toBe(keys.length);
  });

  test.each(WORKLOADS)("has $group/$version $kind", (row) => {
    expect(workloadOf({ apiVersion: apiVersionOf(row), kind: row.kind })).toBe(row);
    expect(row.plural).toBe(`${row.kind.toLowerCase()}s`);
    for (const { path } of row.places) expect(path).toMatch(/^spec\.[A-Za-z.*]+emplate$/);
  });

  test.each([
    ["apps/v1beta1", "Deployment"],
    ["v1", "Pod"],
    ["kubeflow.org/v1", "MXJob"],
    ["ray.io/v1", "RayCluster"],
  ])("lacks %s %s", (apiVersion, kind) => {
    expect(workloadOf({ apiVersion, kind })).toBeUndefined();
  });
});

test("an object without a type has no row", () => {
  expect(workloadOf({})).toBeUndefined();
});

test("kinds that the administrator added are found after those of the table", () => {
  const added: Workload = {
    group: "batch.example",
    version: "v1",
    kind: "Run",
    plural: "runs",
    places: [],
  };
  const own: Workload = { ...added, group: "apps", kind: "Deployment" };
  expect(workloadOf({ apiVersion: "batch.example/v1", kind: "Run" }, [own, added])).toBe(added);
  expect(workloadOf({ apiVersion: "apps/v1", kind: "Deployment" }, [own])).toBe(WORKLOADS[0]);
});
