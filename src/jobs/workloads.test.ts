import { describe, expect, test } from "vitest";
import { WORKLOADS, workloadOf, workloadOfObject } from "./workloads.ts";

describe("the table", () => {
  test("has each kind once", () => {
    const keys = WORKLOADS.map(({ group, version, kind }) => `${group}/${version}/${kind}`);
    expect(new Set(keys).size).toBe(keys.length);
  });

  test.each(WORKLOADS)("has $group/$version $kind", (row) => {
    expect(workloadOf(row)).toBe(row);
    const { group, version, kind } = row;
    expect(workloadOfObject({ apiVersion: `${group}/${version}`, kind })).toBe(row);
    expect(row.plural).toBe(`${row.kind.toLowerCase()}s`);
    for (const { path } of row.places) expect(path).toMatch(/^spec\.[A-Za-z.*]+emplate$/);
  });

  test.each([
    { group: "apps", version: "v1beta1", kind: "Deployment" },
    { group: "", version: "v1", kind: "Pod" },
    { group: "kubeflow.org", version: "v1", kind: "MXJob" },
  ])("lacks $group/$version $kind", (kind) => {
    expect(workloadOf(kind)).toBeUndefined();
    const apiVersion = kind.group === "" ? kind.version : `${kind.group}/${kind.version}`;
    expect(workloadOfObject({ apiVersion, kind: kind.kind })).toBeUndefined();
  });
});

test("an object without a type has no row", () => {
  expect(workloadOfObject({})).toBeUndefined();
});
