import { expect, test } from "vitest";
import { limitsOf } from "./policy.ts";

const localPrefixes = { "team-a": ["/models/a"], "team-b": [], "*": ["/models/shared"] };

test.each([
  ["team-a", ["/models/a"]],
  ["team-b", []],
  ["team-c", ["/models/shared"]],
  ["constructor", ["/models/shared"]],
])("namespace %s may use %j", (namespace, prefixes) => {
  expect(limitsOf({ localPrefixes }, namespace)).toEqual({ localPrefixes: prefixes });
});

test("nothing is allowed that nobody named", () => {
  expect(limitsOf({ localPrefixes: {} }, "team-a")).toEqual({ localPrefixes: [] });
});
