import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compareQuantities, parseQuantity } from "./quantity.ts";

describe("parseQuantity", () => {
  test.each([
    ["0", 0],
    ["1", 1],
    ["0.5", 0.5],
    [".5", 0.5],
    ["5.", 5],
    ["+1", 1],
    ["-1", -1],
    ["100m", 0.1],
    ["700m", 0.7],
    ["5u", 5e-6],
    ["5n", 5e-9],
    ["1k", 1e3],
    ["1M", 1e6],
    ["1.5G", 1.5e9],
    ["1E", 1e18],
    ["1e3", 1e3],
    ["1E3", 1e3],
    ["12e-1", 1.2],
    ["1Ki", 1024],
    ["1.5Gi", 1.5 * 2 ** 30],
    ["1Ei", 2 ** 60],
  ])("reads %s", (text, value) => {
    expect(parseQuantity(text)).toBe(value);
  });

  test.each([
    "",
    "m",
    "1 Gi",
    "1gi",
    "1K",
    "1mi",
    "abc",
    "1e",
    "0x10",
    "1,5",
    "1\n",
    "Infinity",
    "NaN",
  ])("takes %j for none", (text) => {
    expect(parseQuantity(text)).toBeNaN();
  });

  test("reads thousandths as exactly the number that they are", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e9 }), (thousandths) => {
        expect(parseQuantity(`${thousandths}m`)).toBe(thousandths / 1000);
      }),
    );
  });
});

test.each([
  ["0.7", "700m", 0],
  ["1Gi", "1024Mi", 0],
  ["1G", "1Gi", -1],
  ["2", "1500m", 1],
])("%s compared with %s is %i", (a, b, sign) => {
  expect(Math.sign(compareQuantities(a, b))).toBe(sign);
});
