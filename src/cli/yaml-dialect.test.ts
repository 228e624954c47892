import * as fc from "fast-check";
import { parse, parseDocument, stringify } from "yaml";
import { describe, expect, test } from "vitest";
import { DIALECT } from "./yaml-dialect.ts";

describe("as kubectl does, it reads", () => {
  // What sigs.k8s.io/yaml 1.6 makes of them.
  test.each<[string, unknown]>([
    ["y", true],
    ["n", false],
    ["Yes", true],
    ["on", true],
    ["OFF", false],
    ["oN", "oN"],
    ["~", null],
    ["", null],
    ["Null", null],
    ["12:30:00", "12:30:00"],
    ["2026-11-23", "2026-11-23"],
    ["1_000", 1000],
    ["_1", "_1"],
    ["017", 15],
    ["-017", -15],
    ["0o17", 15],
    ["0O17", 15],
    ["0o8", "0o8"],
    ["08", 8],
    ["00", 0],
    ["0x1F", 31],
    ["+0X1f", 31],
    ["0x_1", 1],
    ["0x", "0x"],
    ["0b11", 3],
    ["-0b1", -1],
    ["+1", 1],
    ["1e3", 1000],
    ["1.E+3", 1000],
    ["1e", "1e"],
    [".5", 0.5],
    ["5.", 5],
    ["1_0.5", 10.5],
    [".", "."],
    ["=", "="],
    ["<<", "<<"],
    ["!!binary aGVsbG8=", "hello"],
    ["!!str 5", "5"],
    ['!!int "5"', 5],
    ["!!timestamp 2026-11-23", "2026-11-23"],
    ["!local x", "x"],
  ])("%j as %j", (text, value) => {
    expect(parse(`a: ${text}\n`, DIALECT)).toEqual({ a: value });
  });
});

describe("what it writes", () => {
  test.each(["0x1F", "0o644", "1_000", "9007199254740993", "1.50", "~", "Yes"])(
    "is %s where it read that",
    (text) => {
      expect(parseDocument(`a: ${text}\n`, DIALECT).toString()).toBe(`a: ${text}\n`);
    },
  );

  test("is the same for readers of YAML 1.1 and of 1.2, whatever text it is", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[-+.:_0-9a-fox]{1,6}$/)), (text) => {
        const written = stringify({ a: text }, { ...DIALECT, lineWidth: 0 });
        for (const version of ["1.1", "1.2"] as const) {
          expect(parse(written, { version })).toEqual({ a: text });
        }
      }),
    );
  });
});
