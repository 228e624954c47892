import { describe, expect, test } from "vitest";
import { makeExport } from "../../test/make/export.ts";
import { ANNOTATIONS, PREFIX } from "../api/annotations.ts";
import { deepFreeze } from "../kube/freeze.ts";
import type { Bound } from "./bound.ts";
import { readIntent, type IntentResult } from "./intent.ts";

const SERVES: Bound = { name: "serves", serve: { modelVersion: "bert-v1" } };
const EXPORTS: Bound = {
  name: "exports",
  export: makeExport((intent) => void (intent.modelName = "bound")),
};
const VERSION = { [ANNOTATIONS.modelVersion]: "mnist-v1" };
const MODEL = { [ANNOTATIONS.model]: "mnist" };
const MODELS = { [ANNOTATIONS.models]: '[{"model":"mnist","mountPath":"/m"}]' };
const EXPORT = { [ANNOTATIONS.export]: JSON.stringify(makeExport()) };

function read(annotations: Readonly<Record<string, string>>, bound: Bound): IntentResult {
  return readIntent(deepFreeze(annotations), "metadata.annotations", deepFreeze(bound));
}

function intentOf(annotations: Readonly<Record<string, string>>, bound: Bound) {
  const result = read(annotations, bound);
  if (!result.ok) throw new Error(JSON.stringify(result.causes));
  return result.intent;
}

describe("a pod that says nothing", () => {
  test("exports what a binding says, and it is known which", () => {
    expect(read({}, EXPORTS)).toEqual({
      ok: true,
      intent: { optedOut: false, export: { intent: EXPORTS.export, binding: "exports" } },
      warnings: [],
    });
  });

  test("exports it though it says that it may be injected", () => {
    expect(intentOf({ [ANNOTATIONS.inject]: "true" }, EXPORTS)).toEqual(intentOf({}, EXPORTS));
  });

  test("serves what a binding says, and exports nothing", () => {
    expect(intentOf({}, SERVES)).toMatchObject({
      serve: { models: [{ wanted: { modelVersion: "bert-v1" } }], binding: "serves" },
    });
    expect(intentOf({}, SERVES).export).toBeUndefined();
  });
});

describe("annotations win whole:", () => {
  test.each([
    ["exports", EXPORTS],
    ["serves", SERVES],
  ])("a pod that exports by itself does not ask a binding that %s", (_, bound) => {
    expect(intentOf(EXPORT, bound)).toEqual({
      optedOut: false,
      export: { intent: makeExport() },
    });
  });

  test.each([
    [ANNOTATIONS.modelVersion, VERSION],
    [ANNOTATIONS.model, MODEL],
    [ANNOTATIONS.models, MODELS],
  ])("a pod that serves by %s exports nothing that a binding says", (_, annotations) => {
    const intent = intentOf(annotations, EXPORTS);
    expect(intent.export).toBeUndefined();
    expect(intent.serve).toMatchObject({ models: [expect.anything()] });
    expect(intent.serve?.binding).toBeUndefined();
  });

  test.each([
    ["exports", EXPORTS],
    ["serves", SERVES],
  ])("a pod that opted out is left alone by a binding that %s", (_, bound) => {
    expect(read({ [ANNOTATIONS.inject]: "false" }, bound)).toEqual({
      ok: true,
      intent: { optedOut: true },
      warnings: [],
    });
  });

  test.each([
    ["exports", EXPORTS],
    ["serves", SERVES],
  ])("a wrong export is denied, though a binding %s", (_, bound) => {
    const result = read({ [ANNOTATIONS.export]: "[]" }, bound);
    expect(result).toMatchObject({ ok: false, reason: "InvalidAnnotation" });
    expect(!result.ok && result.causes).toEqual([
      {
        field: "metadata.annotations[model.kubedl.io/export]",
        message: "a list must be an object",
      },
    ]);
  });

  test("a misspelt key is denied, though a binding exports", () => {
    expect(read({ [`${PREFIX}exprot`]: "{}" }, EXPORTS)).toMatchObject({
      ok: false,
      reason: "UnknownAnnotation",
    });
  });
});

test("what shapes a delivery has no effect on an export of a binding", () => {
  expect(read({ [ANNOTATIONS.mountPath]: "/m" }, EXPORTS)).toMatchObject({
    ok: true,
    intent: { export: { binding: "exports" } },
    warnings: [
      {
        reason: "IdleAnnotation",
        message:
          "model.kubedl.io/mount-path has no effect without model.kubedl.io/model-version or model.kubedl.io/model",
      },
    ],
  });
});
