import { expect, test } from "vitest";
import { describeFault } from "../fault.ts";
import { describeShape, planRuns, type Run } from "./plan.ts";

const SEEDS = [0, 1, 7, 2 ** 32 - 1];

function faultsOf(runs: readonly Run[]): ReadonlySet<string> {
  return new Set(runs.map(({ fault }) => fault.is));
}

test("the same seed plans the same runs, another seed others", () => {
  for (const seed of SEEDS) expect(planRuns(seed, 40)).toEqual(planRuns(seed, 40));
  expect(planRuns(1, 40)).not.toEqual(planRuns(2, 40));
});

test("twenty runs have every fault, and each tells what it is", () => {
  const all = faultsOf(planRuns(0, 200));
  for (const seed of SEEDS) {
    const runs = planRuns(seed, 20);
    expect(runs.map(({ index }) => index)).toEqual([...runs.keys()]);
    expect(faultsOf(runs)).toEqual(all);
    for (const run of runs) {
      expect(describeFault(run.fault)).toContain(run.fault.is);
      expect(describeShape(run)).toContain(run.shape);
    }
  }
});

test("a long campaign takes the API server away for a minute, once", () => {
  for (const seed of SEEDS) {
    const times = planRuns(seed, 100).flatMap(({ fault }) =>
      fault.is === "API server away" ? [fault.forMs] : [],
    );
    expect(times.toSorted((one, other) => one - other)).toEqual([
      10_000, 10_000, 10_000, 10_000, 60_000,
    ]);
  }
});
