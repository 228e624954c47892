import { spawn } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import type { Decision } from "../../src/admission/decision.ts";
import { makeReview } from "./review.ts";
import { readCorpus } from "./seeds.ts";

/** It takes a dozen seconds, and much longer on a machine that is busy with something else. */
const PATIENCE_MS = 900_000;

async function fuzz(
  ...given: readonly string[]
): Promise<{ code: number | null; lines: string[] }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "run.ts"), ...given], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  const [lines, code] = await Promise.all([
    text(child.stdout),
    new Promise<number | null>((resolve) => child.once("exit", resolve)),
  ]);
  return { code, lines: lines.trimEnd().split("\n") };
}

test("50,000 reviews are answered as they must be", { timeout: PATIENCE_MS }, async () => {
  const { code, lines } = await fuzz("--count", "50000", "--seed", "1");
  expect(lines.join("\n")).toMatch(/\ncrashes 0$/);
  expect(code).toBe(0);
  const golden = join(import.meta.dirname, "../golden/admission");
  const reasons = readdirSync(golden).map((name) => {
    const file = join(golden, name, "decision.json");
    return (JSON.parse(readFileSync(file, "utf8")) as Decision).reason;
  });
  const reached = lines.find((line) => line.startsWith("reasons"))?.match(/[A-Z]\w+/g);
  expect(reached).toEqual(expect.arrayContaining([...new Set(reasons)]));
});

test("one is sent again by its index", async () => {
  const { code, lines } = await fuzz("--seed", "1", "--only", "100");
  expect(lines).toContainEqual(expect.stringMatching(/^POST \/(mutate|validate|hint), /));
  expect(lines.at(-1)).toBe("crashes 0");
  expect(code).toBe(0);
});

test("what is no number is no seed", async () => {
  expect(await fuzz("--seed", "x")).toMatchObject({ code: 2 });
});

test("a seed makes the same reviews again, and another makes others", () => {
  const corpus = readCorpus();
  const made = (seed: number): readonly string[] =>
    Array.from({ length: 500 }, (_, index) => makeReview(seed, index, corpus)).map(
      ({ endpoint, body }) => `${endpoint} ${body.toString("base64")}`,
    );
  expect(made(1)).toEqual(made(1));
  expect(made(2)).not.toEqual(made(1));
});
