import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Action } from "../reconcile/action.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Applied, Applier } from "./apply.ts";
import { startLoop, type Key, type LoopMetrics, type Target } from "./loop.ts";

const KEY = "modelversion/team-a/mnist-v1";
const EVENT: Action = {
  type: "event",
  ref: { apiVersion: "v1", kind: "Pod", name: "web" },
  kind: "Normal",
  reason: "ModelReady",
  message: "",
};
const DONE: Applied = { upToDate: true, requeueAfterMs: undefined };
const STALE: Applied = { upToDate: false, requeueAfterMs: undefined };

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

function ignore(): void {}

/** A loop with one reconciler; each pass ends as the next of `endings` says, the last one for ever. */
function start(endings: readonly [...(Applied | Error)[], Applied | Error]) {
  const passes: Target[] = [];
  const applied: (readonly Action[])[] = [];
  const outcomes: string[] = [];
  const warnings: unknown[] = [];
  const controller = new AbortController();
  const applier: Applier = {
    async apply(actions) {
      applied.push(actions);
      const ending = endings[Math.min(applied.length, endings.length) - 1] ?? DONE;
      if (ending instanceof Error) throw ending;
      return Promise.resolve(ending);
    },
  };
  const metrics: LoopMetrics = {
    reconciled: (name, outcome) => void outcomes.push(`${name} ${outcome}`),
  };
  const log: Logger = {
    debug: ignore,
    info: ignore,
    warn: (fields: unknown) => void warnings.push(fields),
    error: ignore,
  };
  const reconcile = async (target: Target) => {
    passes.push(target);
    return Promise.resolve([EVENT]);
  };
  const queue = startLoop({
    reconcilers: [{ name: "modelversion", reconcile }],
    applier,
    metrics,
    workers: 1,
    log,
    signal: controller.signal,
  });
  return { queue, passes, applied, outcomes, warnings, controller };
}

async function pass(ms: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
}

test("a key is the reconciler, the namespace and the name; its actions are applied", async () => {
  const { queue, passes, applied, outcomes } = start([DONE]);
  queue.add(KEY);
  await pass(0);
  expect(passes).toEqual([{ namespace: "team-a", name: "mnist-v1" }]);
  expect(applied).toEqual([[EVENT]]);
  expect(outcomes).toEqual(["modelversion done"]);
});

test("a pass that is done is not repeated", async () => {
  const { queue, passes } = start([DONE]);
  queue.add(KEY);
  await pass(3_600_000);
  expect(passes).toHaveLength(1);
});

test("a pass that wants to look again is repeated then", async () => {
  const { queue, passes } = start([{ upToDate: true, requeueAfterMs: 10_000 }, DONE]);
  queue.add(KEY);
  await pass(9_999);
  expect(passes).toHaveLength(1);
  await pass(1);
  expect(passes).toHaveLength(2);
});

describe("a stale pass", () => {
  test("is repeated soon, without an error", async () => {
    const { queue, outcomes, warnings } = start([STALE, DONE]);
    queue.add(KEY);
    await pass(50);
    expect(outcomes).toEqual(["modelversion retried", "modelversion done"]);
    expect(warnings).toEqual([]);
  });

  test("that stays stale is repeated ever more slowly, but at least every ten seconds", async () => {
    const { queue, passes } = start([STALE]);
    queue.add(KEY);
    await pass(60_000);
    const inTheFirstMinute = passes.length;
    await pass(10_000);
    // 50 ms doubled up to 10 s, each cut by up to half: at most 8 doublings and one pass every 5 s.
    expect(inTheFirstMinute).toBeLessThanOrEqual(8 + 12);
    expect(passes.length).toBeGreaterThan(inTheFirstMinute);
  });

  test("is soon repeated again once a pass was done in between", async () => {
    const { queue, passes } = start([STALE, STALE, STALE, STALE, STALE, DONE, STALE, DONE]);
    queue.add(KEY);
    await pass(60_000);
    expect(passes).toHaveLength(6);
    queue.add(KEY);
    await pass(50);
    expect(passes).toHaveLength(8);
  });
});

test("a pass that fails is counted, logged and repeated", async () => {
  const { queue, outcomes, warnings } = start([new Error("refused"), DONE]);
  queue.add(KEY);
  await pass(100);
  expect(outcomes).toEqual(["modelversion failed", "modelversion done"]);
  expect(warnings).toMatchObject([{ key: KEY, err: { message: "refused" } }]);
});

test("a pass that fails because the loop ends is no error", async () => {
  const { queue, outcomes, warnings, controller } = start([new Error("aborted")]);
  controller.abort();
  queue.add(KEY);
  await pass(60_000);
  expect([...outcomes, ...warnings]).toEqual([]);
});

test("a key of no reconciler is a bug, and is logged", async () => {
  const { queue, warnings } = start([DONE]);
  queue.add("other/team-a/x" satisfies Key);
  await pass(0);
  expect(warnings).toMatchObject([{ err: { message: "no reconciler for other/team-a/x" } }]);
});
