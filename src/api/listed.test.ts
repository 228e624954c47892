import { expect, test } from "vitest";
import { listed } from "./listed.ts";

test.each<[string, readonly string[], string]>([
  ["nothing", [], ""],
  ["one name", ["a"], "a"],
  ["as many as are shown", ["a", "b", "c"], "a, b, c"],
  ["more, which are counted", ["a", "b", "c", "d", "e"], "a, b, c and 2 more"],
])("a sentence lists %s", (_, names, text) => {
  expect(listed(names)).toBe(text);
});
