import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { selects, selectorText } from "./label-selector.ts";
import type { LabelSelector } from "./modelbinding.ts";

type Labels = Readonly<Record<string, string>>;

const labels = (matchLabels: Labels): LabelSelector => ({ matchLabels });
const expects = (
  ...matchExpressions: NonNullable<LabelSelector["matchExpressions"]>
): LabelSelector => ({ matchExpressions });
/** A selector as it may be stored, whatever the schema says now. */
const stored = (selector: object): LabelSelector => selector;

const POD: Labels = { app: "web", tier: "front", note: "" };

describe("labels are selected", () => {
  test.each<[string, LabelSelector]>([
    ["by one of them", labels({ app: "web" })],
    ["by several of them", labels({ app: "web", tier: "front" })],
    ["by an empty value", labels({ note: "" })],
    ["by a value in a list", expects({ key: "app", operator: "In", values: ["api", "web"] })],
    ["by a value not in a list", expects({ key: "app", operator: "NotIn", values: ["api"] })],
    [
      "by the absence of a label whose values are excluded",
      expects({ key: "zone", operator: "NotIn", values: ["a"] }),
    ],
    ["by a label that is there", expects({ key: "note", operator: "Exists" })],
    ["by a label that is not there", expects({ key: "zone", operator: "DoesNotExist" })],
    [
      "by labels and conditions together",
      { ...labels({ app: "web" }), ...expects({ key: "tier", operator: "Exists" }) },
    ],
    ["when a list is null", stored({ matchLabels: { app: "web" }, matchExpressions: null })],
    [
      "when the labels are null",
      stored({ matchLabels: null, matchExpressions: [{ key: "app", operator: "Exists" }] }),
    ],
    [
      "when the values of a condition without values are null",
      stored({ matchExpressions: [{ key: "app", operator: "Exists", values: null }] }),
    ],
  ])("%s", (_, selector) => {
    expect(selects(selector, POD)).toBe(true);
  });
});

describe("labels are not selected", () => {
  test.each<[string, LabelSelector]>([
    ["by another value", labels({ app: "api" })],
    ["by a label they lack", labels({ zone: "" })],
    ["when one of two labels differs", labels({ app: "web", tier: "back" })],
    ["by a list without their value", expects({ key: "app", operator: "In", values: ["api"] })],
    [
      "by a list of values of a label they lack",
      expects({ key: "zone", operator: "In", values: [""] }),
    ],
    ["by a list with their value", expects({ key: "app", operator: "NotIn", values: ["web"] })],
    ["by a label that is not there", expects({ key: "zone", operator: "Exists" })],
    ["by the absence of a label they have", expects({ key: "note", operator: "DoesNotExist" })],
    [
      "when the labels fit and a condition does not",
      { ...labels({ app: "web" }), ...expects({ key: "zone", operator: "Exists" }) },
    ],
    ["by a selector that asks for nothing", {}],
    ["by one whose lists are empty", { matchLabels: {}, matchExpressions: [] }],
    ["by one whose lists are null", stored({ matchLabels: null, matchExpressions: null })],
    ["by an unknown operator", stored({ matchExpressions: [{ key: "app", operator: "Like" }] })],
    ["by a list of no values", stored({ matchExpressions: [{ key: "app", operator: "In" }] })],
    [
      "by the exclusion of no values",
      stored({ matchExpressions: [{ key: "app", operator: "NotIn", values: null }] }),
    ],
  ])("%s", (_, selector) => {
    expect(selects(selector, POD)).toBe(false);
  });
});

describe("a label named as what every object of JavaScript has", () => {
  test.each<[string, LabelSelector, boolean]>([
    ["does not exist", expects({ key: "constructor", operator: "Exists" }), false],
    ["is absent", expects({ key: "constructor", operator: "DoesNotExist" }), true],
    ["has no value", labels({ constructor: "web" }), false],
  ])("%s unless it is there", (_, selector, expected) => {
    expect(selects(selector, POD)).toBe(expected);
    expect(selects(selector, { constructor: "web" })).toBe(!expected);
  });
});

test.each([undefined, null as unknown as undefined])(
  "no labels (%s) are as an empty set",
  (none) => {
    expect(selects(labels({ app: "web" }), none)).toBe(false);
    expect(selects(expects({ key: "app", operator: "DoesNotExist" }), none)).toBe(true);
  },
);

describe("the query of", () => {
  test.each<[string, LabelSelector, string]>([
    [
      "labels",
      labels({ app: "web", "example.com/tier": "front" }),
      "app=web,example.com/tier=front",
    ],
    ["an empty value", labels({ note: "" }), "note="],
    ["values", expects({ key: "app", operator: "In", values: ["x", "y"] }), "app in (x,y)"],
    ["excluded values", expects({ key: "app", operator: "NotIn", values: ["x"] }), "app notin (x)"],
    ["a label that is there", expects({ key: "app", operator: "Exists" }), "app"],
    ["a label that is not there", expects({ key: "app", operator: "DoesNotExist" }), "!app"],
    [
      "all of these",
      {
        matchLabels: { app: "web" },
        matchExpressions: [
          { key: "tier", operator: "In", values: ["x"] },
          { key: "note", operator: "DoesNotExist" },
        ],
      },
      "app=web,tier in (x),!note",
    ],
    [
      "one list, when the other is null",
      stored({ matchLabels: { a: "b" }, matchExpressions: null }),
      "a=b",
    ],
  ])("%s is what the API server reads", (_, selector, text) => {
    expect(selectorText(selector)).toBe(text);
  });

  test.each<[string, LabelSelector]>([
    ["no condition at all", {}],
    ["null lists", stored({ matchLabels: null, matchExpressions: null })],
    ["an unknown operator", stored({ matchExpressions: [{ key: "a", operator: "Like" }] })],
    ["a list of no values", stored({ matchExpressions: [{ key: "a", operator: "In" }] })],
    ["a value that would be a second condition", labels({ app: "x,tier" })],
    ["a key that would be a second condition", labels({ "app,tier": "x" })],
    [
      "a listed value that ends the list",
      expects({ key: "a", operator: "In", values: ["x),b in (y"] }),
    ],
    ["a condition on what is no key", expects({ key: "!a", operator: "Exists" })],
  ])("%s finds nothing, rather than everything", (_, selector) => {
    expect(selectorText(selector)).toBe("nothing,!nothing");
  });
});

describe("any selector of few keys and values", () => {
  const key = fc.constantFrom("a", "b", "in", "constructor");
  const value = fc.constantFrom("", "x", "y", "notin");
  const requirement = fc.oneof(
    fc.record({
      key,
      operator: fc.constantFrom("In", "NotIn"),
      values: fc.uniqueArray(value, { minLength: 1, maxLength: 3 }),
    }),
    fc.record({ key, operator: fc.constantFrom("Exists", "DoesNotExist") }),
  );
  const selector: fc.Arbitrary<LabelSelector> = fc.record(
    {
      matchLabels: fc.dictionary(key, value, { maxKeys: 2, noNullPrototype: true }),
      matchExpressions: fc.array(requirement, { maxLength: 3 }),
    },
    { requiredKeys: [] },
  );
  const set = fc.dictionary(key, value, { noNullPrototype: true });

  test("selects what its query finds, read as the API server reads it", () => {
    fc.assert(
      fc.property(selector, set, (each, own) => {
        expect({ text: selectorText(each), is: selects(each, own) }).toEqual({
          text: selectorText(each),
          is: isFound(selectorText(each), new Map(Object.entries(own))),
        });
      }),
      { numRuns: 1000 },
    );
  });

  test("selects no more with one condition more", () => {
    fc.assert(
      fc.property(selector, selector, set, (one, other, own) => {
        const both = {
          matchExpressions: [...asExpressions(one), ...asExpressions(other)],
        };
        const isOfEach = [one, other].every(
          (each) => asExpressions(each).length === 0 || selects(each, own),
        );
        expect(selects(both, own)).toBe(isOfEach && both.matchExpressions.length > 0);
      }),
      { numRuns: 1000 },
    );
  });
});

function asExpressions({ matchLabels, matchExpressions }: LabelSelector) {
  const pairs = Object.entries(matchLabels ?? {});
  return [
    ...pairs.map(([key, value]) => ({ key, operator: "In" as const, values: [value] })),
    ...(matchExpressions ?? []),
  ];
}

/** Reads a query by the grammar of the API server (apimachinery: labels.Parse). */
function isFound(query: string, own: ReadonlyMap<string, string>): boolean {
  return query.split(/,(?![^(]*\))/).every((condition) => {
    const inList = /^(\S+) (in|notin) \((.*)\)$/.exec(condition);
    if (inList !== null) {
      const [, key = "", operator, values = ""] = inList;
      const isListed = own.has(key) && values.split(",").includes(own.get(key) ?? "");
      return isListed === (operator === "in");
    }
    const [key = "", ...value] = condition.split("=");
    if (value.length > 0) return own.get(key) === value.join("=");
    return key.startsWith("!") ? !own.has(key.slice(1)) : own.has(key);
  });
}
