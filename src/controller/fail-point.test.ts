import { describe, expect, test } from "vitest";
import { createFailPoints, parseFailPoint, type FailPoint } from "./fail-point.ts";

describe("parseFailPoint", () => {
  test.each<[string, FailPoint]>([
    ["before:1", { when: "before", write: 1 }],
    ["after:12", { when: "after", write: 12 }],
  ])("reads %s", (text, point) => {
    expect(parseFailPoint(text)).toEqual(point);
  });

  test.each([
    "",
    "before",
    "before:",
    "before:0",
    "before:-1",
    "before:1.5",
    "at:1",
    "after:1 ",
    "after:01",
  ])("takes %j for none", (text) => {
    expect(parseFailPoint(text)).toBeUndefined();
  });
});

/** What happens, in order; `!` is the end of the process. */
async function traceOf(point: FailPoint | undefined): Promise<string> {
  let trace = "";
  const failPoints = createFailPoints(point, () => void (trace += "!"));
  for (const write of ["1", "2", "3"]) {
    await failPoints.around(async () => void (trace += write));
  }
  return trace;
}

describe("three writes", () => {
  test.each<[string, FailPoint | undefined, string]>([
    ["without a fail point", undefined, "123"],
    ["that end before the first", { when: "before", write: 1 }, "!123"],
    ["that end before the second", { when: "before", write: 2 }, "1!23"],
    ["that end after the second", { when: "after", write: 2 }, "12!3"],
    ["that end after the third", { when: "after", write: 3 }, "123!"],
    ["that end later", { when: "before", write: 4 }, "123"],
  ])("%s", async (_, point, trace) => {
    expect(await traceOf(point)).toBe(trace);
  });
});

test("the result of a write, or its failure, comes through", async () => {
  const failPoints = createFailPoints({ when: "after", write: 9 }, () => {});
  expect(await failPoints.around(async () => Promise.resolve("result"))).toBe("result");
  const failure = new Error("refused");
  await expect(failPoints.around(async () => Promise.reject(failure))).rejects.toBe(failure);
});

test("a write that failed is not one after which the process ends", async () => {
  let ends = 0;
  const failPoints = createFailPoints({ when: "after", write: 1 }, () => void (ends += 1));
  await expect(failPoints.around(async () => Promise.reject(new Error("no")))).rejects.toThrow(
    "no",
  );
  expect(ends).toBe(0);
});
