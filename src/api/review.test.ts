import * as jsonPatch from "fast-json-patch";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { pointerToken } from "./review.ts";

test.each([
  ["plain", "plain"],
  ["model.kubedl.io/export", "model.kubedl.io~1export"],
  ["a~b", "a~0b"],
  ["~1", "~01"],
])("the key %j is the token %j", (key, token) => {
  expect(pointerToken(key)).toBe(token);
});

test("a token names its own key, whatever is in it", () => {
  fc.assert(
    fc.property(
      fc.string().filter((key) => key !== "__proto__"),
      (key) => {
        const operation = { op: "add" as const, path: `/${pointerToken(key)}`, value: 1 };
        expect(jsonPatch.applyOperation({}, operation).newDocument).toEqual({ [key]: 1 });
      },
    ),
  );
});
