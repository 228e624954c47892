import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Logger } from "../telemetry/logger.ts";
import { createQueue, type Queue, type QueueOptions } from "./queue.ts";

/** A queue whose work ends when the test says so. */
interface Bench {
  readonly queue: Queue<string>;
  /** Keys in the order in which work on them began. */
  readonly begun: string[];
  /** Ends the work on a key and lets what follows happen. */
  readonly end: (key: string, failure?: Error) => Promise<void>;
}

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

describe("a key", () => {
  test("that is added often before its work begins is worked on once", async () => {
    const { queue, begun } = makeBench();
    for (const key of ["a", "b", "a", "a"]) queue.add(key);

    await settle();

    expect(begun).toEqual(["a", "b"]);
  });

  test("that is added during its work is worked on once more afterwards, never twice at once", async () => {
    const { queue, begun, end } = makeBench();
    queue.add("a");
    await settle();
    queue.add("a");
    queue.add("a");
    await settle();
    expect(begun).toEqual(["a"]);

    await end("a");
    expect(begun).toEqual(["a", "a"]);

    await end("a");
    expect(begun).toEqual(["a", "a"]);
  });

  test("does not wait for another key", async () => {
    const { queue, begun, end } = makeBench();
    queue.add("slow");
    await settle();
    queue.add("quick");
    await settle();
    await end("quick");
    queue.add("quick");
    await settle();

    expect(begun).toEqual(["slow", "quick", "quick"]);
  });
});

test("as many keys as there are workers are worked on at once, the others wait in order", async () => {
  const { queue, begun, end } = makeBench({ workers: 2 });
  for (const key of ["a", "b", "c", "d"]) queue.add(key);
  await settle();
  expect(begun).toEqual(["a", "b"]);
  expect(queue.depth).toBe(2);

  await end("b");
  expect(begun).toEqual(["a", "b", "c"]);

  await end("a");
  expect(begun).toEqual(["a", "b", "c", "d"]);
  expect(queue.depth).toBe(0);
});

describe("work that fails", () => {
  test("comes back after a delay that doubles up to its maximum and starts anew after a success", async () => {
    const delays: number[] = [];
    const { queue, end } = makeBench({ log: logOf(delays), random: () => 0 });
    queue.add("a");
    await settle();
    for (let failure = 0; failure < 6; failure += 1) {
      await end("a", new Error("broken"));
      await vi.advanceTimersByTimeAsync(delays.at(-1) ?? 0);
    }
    expect(delays).toEqual([100, 200, 400, 800, 1_000, 1_000]);

    await end("a");
    queue.add("a");
    await settle();
    await end("a", new Error("broken again"));
    expect(delays.at(-1)).toBe(100);
  });

  test("does not come back before its delay is over", async () => {
    const { queue, begun, end } = makeBench({ random: () => 0 });
    queue.add("a");
    await settle();
    await end("a", new Error("broken"));

    await vi.advanceTimersByTimeAsync(99);
    expect(begun).toEqual(["a"]);

    await vi.advanceTimersByTimeAsync(1);
    expect(begun).toEqual(["a", "a"]);
  });

  test("delays its own key only, by up to half less at random", async () => {
    const delays: number[] = [];
    const { queue, end } = makeBench({ log: logOf(delays), random: () => 1 });
    queue.add("a");
    queue.add("b");
    await settle();
    await end("a", new Error("broken"));
    await vi.advanceTimersByTimeAsync(50);
    await end("a", new Error("broken"));
    await end("b", new Error("broken"));

    expect(delays).toEqual([50, 100, 50]);
  });

  test("comes back at once when its key was added meanwhile", async () => {
    const { queue, begun, end } = makeBench();
    queue.add("a");
    await settle();
    queue.add("a");
    await end("a", new Error("broken"));

    expect(begun).toEqual(["a", "a"]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("may throw before its first promise", async () => {
    let calls = 0;
    const queue = createQueue<string>({
      ...LIMITS,
      work() {
        calls += 1;
        throw new Error("broken");
      },
      log: logOf([]),
    });
    queue.add("a");
    await settle();
    await vi.advanceTimersByTimeAsync(100);

    expect(calls).toBe(2);
    await queue.stop();
  });
});

describe("a later addition", () => {
  test.each<{ what: string; delays: number[]; due: number }>([
    { what: "comes when its time is over", delays: [5_000], due: 5_000 },
    { what: "gives way to an earlier one", delays: [5_000, 3_000], due: 3_000 },
    { what: "does not postpone an earlier one", delays: [3_000, 5_000], due: 3_000 },
  ])("$what", async ({ delays, due }) => {
    const { queue, begun } = makeBench();
    for (const delay of delays) queue.addAfter("a", delay);

    await vi.advanceTimersByTimeAsync(due - 1);
    expect(begun).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(begun).toEqual(["a"]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("that is overdue comes at once", async () => {
    const { queue, begun } = makeBench();
    queue.addAfter("a", -5_000);
    await vi.advanceTimersByTimeAsync(1);

    expect(begun).toEqual(["a"]);
  });

  test("is replaced by an addition now", async () => {
    const { queue, begun, end } = makeBench();
    queue.addAfter("a", 5_000);
    queue.add("a");
    await settle();
    await end("a");
    await vi.advanceTimersByTimeAsync(5_000);

    expect(begun).toEqual(["a"]);
  });

  test("that the work itself asks for is kept", async () => {
    const { queue, begun, end } = makeBench();
    queue.add("a");
    await settle();
    queue.addAfter("a", 5_000);
    await end("a");
    await vi.advanceTimersByTimeAsync(5_000);

    expect(begun).toEqual(["a", "a"]);
  });

  test("beyond the longest timer does not come at once", async () => {
    const { queue, begun } = makeBench();
    queue.addAfter("a", 90 * 86_400_000);
    await vi.advanceTimersByTimeAsync(86_400_000);

    expect(begun).toEqual([]);
  });
});

describe("a queue that is stopped", () => {
  test("waits for the work that runs and begins no other", async () => {
    const { queue, begun, end } = makeBench({ workers: 1 });
    for (const key of ["a", "b"]) queue.add(key);
    queue.addAfter("c", 10);
    await settle();
    let isStopped = false;
    const stopped = queue.stop().then(() => (isStopped = true));
    queue.add("a");
    queue.addAfter("d", 10);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(isStopped).toBe(false);

    await end("a", new Error("interrupted"));
    await stopped;
    await vi.advanceTimersByTimeAsync(10_000);

    expect(begun).toEqual(["a"]);
    expect(queue.depth).toBe(0);
  });

  test("without work stops at once, and again", async () => {
    const { queue } = makeBench();

    await queue.stop();

    await expect(queue.stop()).resolves.toBeUndefined();
  });
});

const LIMITS = { baseDelayMs: 100, maxDelayMs: 1_000, workers: 3 };

function makeBench(options: Partial<QueueOptions<string>> = {}): Bench {
  const begun: string[] = [];
  const running = new Map<string, PromiseWithResolvers<void>>();
  const queue = createQueue<string>({
    ...LIMITS,
    async work(key) {
      begun.push(key);
      if (running.has(key)) throw new Error(`${key} is worked on twice at once`);
      const work = Promise.withResolvers<void>();
      running.set(key, work);
      await work.promise.finally(() => running.delete(key));
    },
    log: logOf([]),
    ...options,
  });
  return {
    queue,
    begun,
    async end(key, failure) {
      const work = running.get(key);
      if (work === undefined) throw new Error(`${key} is not worked on`);
      if (failure === undefined) work.resolve();
      else work.reject(failure);
      await settle();
    },
  };
}

/** Collects the delays that are announced. */
function logOf(delays: number[]): Logger {
  const write = (fields: { delayMs?: number }): void => void delays.push(fields.delayMs ?? 0);
  return { debug: write, info: write, warn: write, error: write };
}

async function settle(): Promise<void> {
  await vi.advanceTimersByTimeAsync(0);
}
