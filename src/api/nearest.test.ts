import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { editDistance, nearest } from "./nearest.ts";

describe("editDistance", () => {
  test.each([
    ["", "", 0],
    ["abc", "abc", 0],
    ["abc", "abd", 1],
    ["abc", "ab", 1],
    ["abc", "xabc", 1],
    ["abcd", "badc", 3],
    ["", "ab", 2],
    ["export", "exprot", 2],
  ])("of %j and %j is %i", (a, b, edits) => {
    expect(editDistance(a, b, 3)).toBe(edits);
  });

  test("stops counting above the limit", () => {
    expect(editDistance("kitten", "sitting", 2)).toBe(3);
    expect(editDistance("a", "abcdefgh", 2)).toBe(3);
  });

  test("is what the whole table says", () => {
    const text = fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 8 });
    fc.assert(
      fc.property(text, text, fc.integer({ min: 0, max: 9 }), (a, b, limit) => {
        expect(editDistance(a, b, limit)).toBe(Math.min(wholeTable(a, b), limit + 1));
      }),
      { numRuns: 1000 },
    );
  });
});

describe("nearest", () => {
  const candidates = ["mnist-v1", "mnist-v2", "resnet"];

  test.each([
    ["mnist-v1", "mnist-v1"],
    ["mnist-v3", "mnist-v1"],
    ["MNIST-V2", "mnist-v2"],
    ["resnett", "resnet"],
    ["bert", undefined],
    ["constructor", undefined],
  ])("to %s is %s", (text, expected) => {
    expect(nearest(text, candidates, 2)).toBe(expected);
  });

  test("is nothing among no candidates", () => {
    expect(nearest("mnist", [], 3)).toBeUndefined();
  });
});

/** The textbook definition, without a limit. */
function wholeTable(a: string, b: string): number {
  if (a === "" || b === "") return a.length + b.length;
  return Math.min(
    wholeTable(a.slice(1), b) + 1,
    wholeTable(a, b.slice(1)) + 1,
    wholeTable(a.slice(1), b.slice(1)) + (a[0] === b[0] ? 0 : 1),
  );
}

describe("names that are made to be compared for long", () => {
  const candidates = Array.from({ length: 100_000 }, (_, index) => long("y", index % 9));

  test("are given up after a while, whatever their number", () => {
    let looked = 0;
    const counted = new Proxy(candidates, {
      get(target, key, receiver) {
        if (typeof key === "string" && /^\d+$/.test(key)) looked += 1;
        return Reflect.get(target, key, receiver) as unknown;
      },
    });
    nearest(long("x", 10), counted, 3);
    expect(looked).toBeLessThan(2_000);
  });

  test("are found among ten thousand short ones all the same", () => {
    const names = Array.from({ length: 10_000 }, (_, index) => `digits-${index}`);
    expect(nearest("digits-9999x", names, 2)).toBe("digits-9999");
  });
});

/** Such names differ at both ends, so nothing of them is left out. */
function long(end: string, index: number): string {
  return `${end}${"a".repeat(240)}${index}${end}`;
}
