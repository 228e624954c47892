import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { LabelSelector } from "../api/modelbinding.ts";
import { canSelectSame } from "./selector.ts";

const labels = (matchLabels: Readonly<Record<string, string>>): LabelSelector => ({ matchLabels });
const expects = (
  ...matchExpressions: NonNullable<LabelSelector["matchExpressions"]>
): LabelSelector => ({ matchExpressions });

describe("two selectors", () => {
  test.each<[string, LabelSelector, LabelSelector, boolean]>([
    ["of the same label", labels({ app: "a" }), labels({ app: "a" }), true],
    ["of different values of one label", labels({ app: "a" }), labels({ app: "b" }), false],
    ["of different labels", labels({ app: "a" }), labels({ tier: "b" }), true],
    ["of which one asks for more", labels({ app: "a" }), labels({ app: "a", tier: "b" }), true],
    [
      "with a value in common",
      expects({ key: "app", operator: "In", values: ["a", "b"] }),
      expects({ key: "app", operator: "In", values: ["b", "c"] }),
      true,
    ],
    [
      "of which one excludes what the other takes",
      labels({ app: "a" }),
      expects({ key: "app", operator: "NotIn", values: ["a"] }),
      false,
    ],
    [
      "that both exclude",
      expects({ key: "app", operator: "NotIn", values: ["a"] }),
      expects({ key: "app", operator: "NotIn", values: ["b"] }),
      true,
    ],
    [
      "of a label that is there and is not",
      expects({ key: "app", operator: "Exists" }),
      expects({ key: "app", operator: "DoesNotExist" }),
      false,
    ],
    [
      "of a value, and of no label",
      labels({ app: "a" }),
      expects({ key: "app", operator: "DoesNotExist" }),
      false,
    ],
    [
      "of which one takes pods without the label",
      expects({ key: "app", operator: "DoesNotExist" }),
      expects({ key: "app", operator: "NotIn", values: ["a"] }),
      true,
    ],
  ])("%s", (_, one, other, expected) => {
    expect(canSelectSame(one, other)).toBe(expected);
    expect(canSelectSame(other, one)).toBe(expected);
  });

  test("can select the same exactly when labels of few keys and values are found that both take", () => {
    const requirement = fc.record({
      key: fc.constantFrom("a", "b"),
      operator: fc.constantFrom("In", "NotIn", "Exists", "DoesNotExist"),
      values: fc.uniqueArray(fc.constantFrom("x", "y"), { minLength: 1 }),
    });
    const selector = fc.array(requirement, { maxLength: 4 });
    // A third value stands for all that no requirement names.
    const values = ["x", "y", "z", undefined];
    const worlds = values.flatMap((a) => values.map((b) => ({ a, b })));
    expect(() =>
      fc.assert(
        fc.property(selector, selector, (one, other) => {
          const found = worlds.some((world) =>
            [...one, ...other].every(({ key, operator, values: listed }) => {
              const value = world[key];
              switch (operator) {
                case "In":
                  return value !== undefined && (listed as string[]).includes(value);
                case "NotIn":
                  return value === undefined || !(listed as string[]).includes(value);
                case "Exists":
                  return value !== undefined;
                case "DoesNotExist":
                  return value === undefined;
              }
            }),
          );
          return canSelectSame(expects(...one), expects(...other)) === found;
        }),
      ),
    ).not.toThrow();
  });
});
