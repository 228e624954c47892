import { expect, test } from "vitest";
import { makeHeldJob } from "../../test/make/job.ts";
import { createTurns } from "./turns.ts";

const JOB = makeHeldJob();

test("a turn is held by its job until it ends", () => {
  const turns = createTurns();
  expect(turns.holder("here")).toBeUndefined();
  turns.give("here", JOB);
  expect(turns.holder("here")).toBe(JOB);
  expect(turns.holder("there")).toBeUndefined();
  turns.end("here");
  expect(turns.holder("here")).toBeUndefined();
});

test("a turn of which nothing is ever seen ends by itself", () => {
  let now = 0;
  const turns = createTurns(() => now);
  turns.give("here", JOB);
  now = 29_999;
  expect(turns.holder("here")).toBe(JOB);
  now = 30_000;
  expect(turns.holder("here")).toBeUndefined();
});
