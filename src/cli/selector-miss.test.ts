import { expect, test } from "vitest";
import type { LabelSelector } from "../api/modelbinding.ts";
import { selectorMisses } from "./selector-miss.ts";

const LABELS = { app: "web", tier: "b", "team-name": "a" };

test.each<[what: string, selector: LabelSelector, misses: readonly string[]]>([
  ["that takes the labels", { matchLabels: { app: "web" } }, []],
  [
    "with another value",
    { matchLabels: { app: "api" } },
    ["it wants app=api, and the pod has app=web"],
  ],
  [
    "with a key that the pod has not",
    { matchLabels: { role: "x" } },
    ["it wants role=x, and the pod has no label role"],
  ],
  [
    "with a key that the pod nearly has",
    { matchLabels: { "team-nmae": "a" } },
    ["it wants team-nmae=a, and the pod has no label team-nmae, only team-name"],
  ],
  [
    "with a list",
    { matchExpressions: [{ key: "tier", operator: "In", values: ["a", "c"] }] },
    ["it wants tier to be one of a, c, and the pod has tier=b"],
  ],
  [
    "with a list of others",
    { matchExpressions: [{ key: "tier", operator: "NotIn", values: ["b"] }] },
    ["it wants tier to be none of b, and the pod has tier=b"],
  ],
  [
    "for a label",
    { matchExpressions: [{ key: "role", operator: "Exists" }] },
    ["it wants a label role, and the pod has no label role"],
  ],
  [
    "for no label",
    { matchExpressions: [{ key: "tier", operator: "DoesNotExist" }] },
    ["it wants no label tier, and the pod has tier=b"],
  ],
  [
    "of which each part is looked at",
    {
      matchLabels: { app: "web", tier: "c" },
      matchExpressions: [{ key: "x", operator: "Exists" }],
    },
    ["it wants tier=c, and the pod has tier=b", "it wants a label x, and the pod has no label x"],
  ],
  ["that is empty", {}, ["its selector is empty, which selects nothing"]],
])("a selector %s", (_what, selector, misses) => {
  expect(selectorMisses(selector, LABELS)).toEqual(misses);
});
