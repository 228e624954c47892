import { expect, test } from "vitest";
import { ENGINES } from "../../../src/api/modelversion.ts";
import { describeFault } from "../fault.ts";
import { describeShape, planRuns, type Run } from "./plan.ts";

const SEEDS = [0, 1, 7, 2 ** 32 - 1];

function plan(seed: number, count: number): readonly Run[] {
  return planRuns(seed, count, ENGINES);
}

function faultsOf(runs: readonly Run[]): ReadonlySet<string> {
  return new Set(runs.map(({ fault }) => fault.is));
}

test("the same seed plans the same runs, another seed others", () => {
  for (const seed of SEEDS) expect(plan(seed, 40)).toEqual(plan(seed, 40));
  expect(plan(1, 40)).not.toEqual(plan(2, 40));
});

test("twenty runs have every fault, and each tells what it is", () => {
  const all = faultsOf(plan(0, 200));
  for (const seed of SEEDS) {
    const runs = plan(seed, 20);
    expect(runs.map(({ index }) => index)).toEqual([...runs.keys()]);
    expect(faultsOf(runs)).toEqual(all);
    for (const run of runs) {
      expect(describeFault(run.fault)).toContain(run.fault.is);
      expect(describeShape(run)).toContain(run.engine);
    }
  }
});

test("twenty runs kill every container of a build, and take the registry away before and after the push", () => {
  for (const seed of SEEDS) {
    const moments = plan(seed, 20).map(({ fault }) => [
      fault.is,
      "at" in fault ? fault.at.after : "",
    ]);
    for (const place of ["first", "middle", "last"])
      expect(moments).toContainEqual(["container killed", `${place} container`]);
    expect(moments).toContainEqual(["registry killed", "middle container"]);
    expect(moments).toContainEqual(["registry killed", "push"]);
  }
});

test("models have several files of different names, and no more than some megabytes", () => {
  const runs = plan(3, 500);
  for (const { files } of runs) {
    expect(files.length).toBeGreaterThan(1);
    expect(new Set(files.map(({ path }) => path)).size).toBe(files.length);
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
    expect(bytes).toBeGreaterThan(1000);
    expect(bytes).toBeLessThan(20_000_000);
  }
  expect(new Set(runs.map(({ storage }) => storage)).size).toBe(2);
});

test("whatever engines there are, all of them build, and what happens to their versions is the same", () => {
  const others = [...ENGINES, "another" as Run["engine"]];
  const [runs, more] = [plan(5, 100), planRuns(5, 100, others)];
  expect(new Set(more.map(({ engine }) => engine))).toEqual(new Set(others));
  expect(more.map(({ fault, files }) => [fault, files])).toEqual(
    runs.map(({ fault, files }) => [fault, files]),
  );
});
