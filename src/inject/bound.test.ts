import { describe, expect, test } from "vitest";
import { makeExport } from "../../test/make/export.ts";
import { makeBinding } from "../../test/make/modelbinding.ts";
import type { ModelBinding } from "../api/modelbinding.ts";
import { boundBy } from "./bound.ts";

const LABELS = { app: "web" };
const exporting = makeBinding(({ spec }) => {
  delete spec.serve;
  spec.export = makeExport();
});

function nameOf(bindings: readonly ModelBinding[], labels: object | null | undefined) {
  return boundBy(bindings, labels as never)?.name;
}

function made(name: string, day: string, of: ModelBinding = makeBinding()): ModelBinding {
  const creationTimestamp = `2026-11-${day}T00:00:00Z`;
  return { ...of, metadata: { ...of.metadata, name, creationTimestamp } };
}

test("a pod is served by the binding that selects it", () => {
  expect(boundBy([makeBinding()], LABELS)).toEqual({
    name: "web",
    serve: { modelVersion: "mnist-v1" },
  });
});

test("a pod exports what the binding that selects it exports", () => {
  expect(boundBy([exporting], LABELS)).toEqual({ name: "web", export: makeExport() });
});

describe("of several bindings", () => {
  test.each<[string, readonly ModelBinding[], string]>([
    ["the older one serves", [made("a", "02"), made("b", "01"), made("c", "03")], "b"],
    [
      "the older one serves, though a younger one exports",
      [made("a", "02", exporting), made("b", "01")],
      "b",
    ],
    [
      "the older one exports, though a younger one serves",
      [made("a", "02"), made("b", "01", exporting)],
      "b",
    ],
    ["the older one exports", [made("a", "02", exporting), made("b", "01", exporting)], "b"],
    [
      "the first by name exports, where they are equally old",
      [made("b", "01"), made("a", "01", exporting)],
      "a",
    ],
    [
      "the first by name serves, where they are equally old",
      [made("b", "01"), made("a", "01")],
      "a",
    ],
    [
      "the older one serves, though a younger one names more labels",
      [
        made("b", "01"),
        made(
          "a",
          "02",
          makeBinding(({ spec }) => {
            spec.selector = { matchLabels: { app: "web", tier: "front" } };
          }),
        ),
      ],
      "b",
    ],
    [
      "an older one that does not select the pod has no say",
      [
        made(
          "a",
          "01",
          makeBinding(({ spec }) => void (spec.selector = other("db"))),
        ),
        made("b", "02"),
      ],
      "b",
    ],
    [
      "an older one that asks for nothing has no say",
      [
        made(
          "a",
          "01",
          makeBinding(({ spec }) => void delete spec.serve),
        ),
        made("b", "02"),
      ],
      "b",
    ],
    [
      "an older one that is being deleted has no say",
      [
        made(
          "a",
          "01",
          makeBinding(({ metadata }) => {
            metadata.deletionTimestamp = "2026-11-23T00:00:00Z";
          }),
        ),
        made("b", "02"),
      ],
      "b",
    ],
  ])("%s", (_, bindings, name) => {
    expect(nameOf(bindings, { app: "web", tier: "front" })).toBe(name);
    expect(nameOf(bindings.toReversed(), { app: "web", tier: "front" })).toBe(name);
  });
});

describe("a pod is served by none", () => {
  test.each<[string, readonly ModelBinding[], object | null | undefined]>([
    ["where there is none", [], LABELS],
    ["that selects other labels", [makeBinding()], { app: "db" }],
    ["when it has no labels", [makeBinding()], undefined],
    ["when its labels are null", [makeBinding()], null],
    [
      "that only the labels which every object inherits would fit",
      [
        makeBinding(
          ({ spec }) => void (spec.selector = { matchExpressions: [exists("toString")] }),
        ),
      ],
      LABELS,
    ],
    ["whose selector is empty", [makeBinding(({ spec }) => void (spec.selector = {}))], LABELS],
    [
      "that exports, and is being deleted",
      [
        makeBinding(({ metadata, spec }) => {
          metadata.deletionTimestamp = "2026-11-23T00:00:00Z";
          spec.export = makeExport();
          delete spec.serve;
        }),
      ],
      LABELS,
    ],
    [
      "whose selector was never stored",
      [makeBinding(({ spec }) => void delete (spec as Partial<typeof spec>).selector)],
      LABELS,
    ],
    [
      "that was stored without a spec",
      [makeBinding((binding) => void delete (binding as Partial<typeof binding>).spec)],
      LABELS,
    ],
  ])("%s", (_, bindings, labels) => {
    expect(nameOf(bindings, labels)).toBeUndefined();
  });
});

test("a binding may select by conditions", () => {
  const binding = makeBinding(({ spec }) => {
    spec.selector = { matchExpressions: [{ key: "app", operator: "In", values: ["web", "api"] }] };
  });
  expect(nameOf([binding], LABELS)).toBe("web");
});

function other(app: string) {
  return { matchLabels: { app } };
}

function exists(key: string) {
  return { key, operator: "Exists" } as const;
}
