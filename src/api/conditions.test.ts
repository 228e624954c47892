import { expect, test } from "vitest";
import { deepFreeze } from "../kube/freeze.ts";
import { findCondition, setCondition, type Condition } from "./conditions.ts";

const BUILT: Condition = deepFreeze({
  type: "Built",
  status: "False",
  reason: "BuildStarted",
  message: "",
  lastTransitionTime: "2020-01-01T00:00:00Z",
});
const BEFORE = deepFreeze([{ ...BUILT, type: "StorageReady" }, BUILT]);
const NOW = Date.UTC(2024, 0, 1);

test("a condition is found by its type", () => {
  expect(findCondition(BEFORE, "Built")).toBe(BUILT);
  expect(findCondition(BEFORE, "Other")).toBeUndefined();
  expect(findCondition(undefined, "Built")).toBeUndefined();
});

test("the first condition gets the time of now", () => {
  const { lastTransitionTime: _, ...next } = BUILT;
  expect(setCondition(undefined, next, NOW)).toEqual([
    { ...next, lastTransitionTime: "2024-01-01T00:00:00Z" },
  ]);
});

test("the time moves when the status does, and other conditions stay", () => {
  const next = { type: "Built", status: "True", reason: "BuildSucceeded", message: "" } as const;
  expect(setCondition(BEFORE, next, NOW)).toEqual([
    BEFORE[0],
    { ...next, lastTransitionTime: "2024-01-01T00:00:00Z" },
  ]);
});

test("the time stays when only reason, message or generation change", () => {
  const next = {
    type: "Built",
    status: "False",
    reason: "BuildRetried",
    message: "again",
  } as const;
  expect(setCondition(BEFORE, { ...next, observedGeneration: 2 }, NOW)).toContainEqual({
    ...next,
    observedGeneration: 2,
    lastTransitionTime: BUILT.lastTransitionTime,
  });
});
