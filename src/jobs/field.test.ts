import { describe, expect, test } from "vitest";
import { deepFreeze } from "../kube/freeze.ts";
import { fieldAt, listAt, textAt } from "./field.ts";

const OBJECT = deepFreeze({
  spec: { trainer: { numNodes: 2 }, names: ["a"], name: "b", nothing: null },
});

describe("fieldAt", () => {
  test.each<[string, unknown]>([
    ["spec.trainer.numNodes", 2],
    ["spec.names", ["a"]],
    ["spec.nothing", null],
    ["spec.nothing.below", undefined],
    ["spec.names.0", undefined],
    ["spec.name.length", undefined],
    ["spec.constructor", undefined],
    ["status.phase", undefined],
  ])("%s leads to %j", (path, expected) => {
    expect(fieldAt(OBJECT, path)).toEqual(expected);
  });

  test.each([undefined, null, 5, "spec", []])("of %j there is nothing", (object) => {
    expect(fieldAt(object, "spec.name")).toBeUndefined();
  });
});

test("textAt gives texts only", () => {
  const texts = ["spec.name", "spec.trainer.numNodes", "spec.names", "spec.nothing"];
  expect(texts.map((path) => textAt(OBJECT, path))).toEqual(["b", undefined, undefined, undefined]);
});

test("listAt gives lists only", () => {
  const paths = ["spec.names", "spec.name", "spec.trainer", "spec.absent"];
  expect(paths.map((path) => listAt(OBJECT, path))).toEqual([["a"], [], [], []]);
});
