import { describe, expect, test } from "vitest";
import { z } from "zod";
import { schemaFaults, show, unknownKeys } from "./schema-faults.ts";

const schema = z.object({
  text: z.string().min(2).max(3).optional(),
  whole: z.int().min(1).max(9).optional(),
  flag: z.boolean().optional(),
  one: z.enum(["a", "b"]).optional(),
  list: z.array(z.object({ name: z.string() })).optional(),
  map: z.record(z.string(), z.string()).optional(),
  short: z.record(z.string().max(3), z.string()).optional(),
  inner: z.object({ must: z.number() }).optional(),
});

describe("schemaFaults", () => {
  test("finds none in a value that fits", () => {
    expect(schemaFaults(schema, { text: "ab", whole: 1, one: "b", map: { x: "y" } })).toEqual([]);
  });

  test("leaves unknown keys to unknownKeys", () => {
    expect(schemaFaults(schema, { other: 1 })).toEqual([]);
  });

  test.each([
    [undefined, "", "is required"],
    [{ text: 1 }, "text", "1 must be a string"],
    [{ text: "" }, "text", "must not be empty"],
    [{ text: "a" }, "text", '"a" must be at least 2'],
    [{ text: "abcd" }, "text", "has 4 characters; at most 3 are allowed"],
    [{ whole: 1.5 }, "whole", "1.5 must be a whole number"],
    [{ whole: 0 }, "whole", "0 must be at least 1"],
    [{ whole: 10 }, "whole", "10 must be at most 9"],
    [{ flag: "true" }, "flag", '"true" must be true or false'],
    [{ one: "c" }, "one", '"c" is not allowed; allowed: a, b'],
    [{ list: {} }, "list", "an object must be a list"],
    [{ list: [{ name: "x" }, {}] }, "list[1].name", "is required"],
    [{ map: [] }, "map", "a list must be an object"],
    [{ short: { longer: "x" } }, "short.longer", "has 6 characters; at most 3 are allowed"],
    [{ inner: { must: "1" } }, "inner.must", '"1" must be a number'],
    [{ inner: null }, "inner", "null must be an object"],
  ])("says of %j: %s %s", (value, field, message) => {
    expect(schemaFaults(schema, value)).toMatchObject([{ field, message }]);
  });
});

describe("unknownKeys", () => {
  test("names them with those that the schema has", () => {
    expect(unknownKeys(schema, { inner: { must: 1, mus: 1 } })).toMatchObject([
      { field: "inner.mus", message: "is unknown; allowed: must; did you mean must?" },
    ]);
  });

  test("finds them in what has a default, too", () => {
    const inner = z.object({ a: z.string().optional() }).prefault({});
    expect(unknownKeys(z.object({ inner }), { inner: { b: 1 } })).toMatchObject([
      { field: "inner.b", message: "is unknown; allowed: a" },
    ]);
  });

  test("does not take an inherited name for one of the schema", () => {
    const fields = unknownKeys(schema, JSON.parse('{"toString": 1, "__proto__": 1}'));
    expect(fields.map(({ field }) => field)).toEqual(["toString", "__proto__"]);
  });

  test.each([[undefined], [null], ["text"], [["list"]]])("finds none in %j", (value) => {
    expect(unknownKeys(schema, value)).toEqual([]);
  });
});

describe("show", () => {
  test.each([
    ["text", '"text"'],
    ['with "quotes"\n', '"with \\"quotes\\"\\n"'],
    ["x".repeat(101), `"${"x".repeat(100)}…"`],
    [1, "1"],
    [null, "null"],
    [undefined, "undefined"],
    [{ secret: 1 }, "an object"],
    [["secret"], "a list"],
  ])("shows %j as %s", (value, shown) => {
    expect(show(value)).toBe(shown);
  });
});
