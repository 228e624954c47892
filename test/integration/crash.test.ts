import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ControlPlane } from "../../deploy/local/control-plane.ts";
import { addNode, eventually } from "./kubelet.ts";
import { readMetric } from "./metrics.ts";
import { startModelhook, startPlane, type RunningModelhook } from "./modelhook.ts";
import { NODE, goWholeWay } from "./whole-way.ts";

/** Two, for a machine with two cores: a way spends half of its time waiting for others. */
let planes: readonly [ControlPlane, ControlPlane];

beforeAll(async () => {
  planes = await Promise.all([startPlane(), startPlane()]);
  await Promise.all(planes.map(async (plane) => addNode(plane, NODE)));
});
afterAll(async () => {
  await Promise.all((planes ?? []).map(async (plane) => plane.stop()));
});

describe("the whole way arrives, with one ModelVersion and one digest, when", () => {
  test("modelhook dies once, around any of its writes", { timeout: 900_000 }, async () => {
    const began = performance.now();
    const points = failPoints();
    let passed = "";
    let runs = 0;
    const lanes = planes.map(async (plane) => {
      for (const point of points) {
        runs += 1;
        if (await dies(plane, point)) continue;
        // To leave the loop, by an error too, ends the generator, and so the other lane.
        passed = point;
        return;
      }
    });
    await Promise.allSettled(lanes);
    await Promise.all(lanes);
    const seconds = Math.round((performance.now() - began) / 1000);
    console.log(`deaths: ${runs} runs, the first that lived had ${passed}; ${seconds} s`);
    expect(Number(passed.split(":")[1])).toBeGreaterThan(20);
  });
});

describe.concurrent("the whole way arrives, with one ModelVersion and one digest, when", () => {
  test("the API server dies again and again", { timeout: 180_000 }, async () => {
    const [plane] = planes;
    const modelhook = await startModelhook(plane);
    let lives = 1;
    try {
      const repeats = await goWholeWay(plane, "api-server-dies", async () => {
        await plane.restartApiServer();
        lives += 1;
      });
      expect(repeats).toBeLessThanOrEqual(lives);
    } finally {
      await modelhook.kill();
    }
  });

  test(
    "leader after leader stops, and one stands still for longer than its lease",
    { timeout: 180_000 },
    async () => {
      const [, plane] = planes;
      const lives: RunningModelhook[] = [];
      const join = async (): Promise<RunningModelhook> => {
        const joined = await startModelhook(plane, { instance: `modelhook-${lives.length}` });
        lives.push(joined);
        return joined;
      };
      try {
        let leader = await join();
        const repeats = await goWholeWay(plane, "leaders-change", async (moment) => {
          const [old, next] = [leader, await join()];
          // Right after the build it has the most to write.
          const isStalled = moment === "after the build ends";
          const left = isStalled ? undefined : old.stop();
          if (isStalled) old.pause();
          await eventually(`${moment}: another leads`, async () => leads(next));
          if (isStalled) old.resume();
          await left;
          leader = next;
        });
        expect(repeats).toBeLessThanOrEqual(lives.length);
      } finally {
        await Promise.all(lives.map(async (each) => each.kill()));
      }
    },
  );
});

/**
 * Every write once as the last that was done. Whether its answer was read is all that tells `after:N` from `before:N+1`, and
 * nothing of an answer is remembered anywhere: so of the latter a third will do.
 */
function* failPoints(): Generator<string, void> {
  for (let write = 1; ; write += 1) {
    yield `after:${write}`;
    if (write % 3 === 1) yield `before:${write}`;
  }
}

/** Goes one way with a process that dies at the fail point and another that takes over; false when none had to die. */
async function dies(plane: ControlPlane, failPoint: string): Promise<boolean> {
  const first = await startModelhook(plane, { failPoint });
  const lives = [first];
  try {
    const way = goWholeWay(plane, failPoint.replace(":", "-"));
    const died = await Promise.race([first.ended.then(() => true), way.then(() => false)]);
    if (died) {
      await dropLease(plane);
      lives.push(await startModelhook(plane));
    }
    expect(await way).toBeLessThanOrEqual(lives.length);
    // The log is lines of JSON; a bug that ended a process would have left a stack.
    for (const life of lives) expect(life.output()).not.toMatch(/^[^{]/m);
    return died;
  } catch (cause) {
    throw new Error(`${failPoint}\n${lives.map((each) => each.output()).join("\n")}`, { cause });
  } finally {
    await Promise.all(lives.map(async (each) => each.kill()));
    await dropLease(plane);
  }
}

/** The lease of a process that died holds for 15 s; its end is tested elsewhere. */
async function dropLease(plane: ControlPlane): Promise<void> {
  const name = ["lease", "modelhook", "--ignore-not-found"];
  await plane.kubectl(["--namespace", "modelhook-system", "delete", ...name]);
}

async function leads(modelhook: RunningModelhook): Promise<boolean> {
  return (await readMetric(modelhook, "modelhook_leader")) === 1;
}
