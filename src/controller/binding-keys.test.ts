import { describe, expect, test } from "vitest";
import { makeExport } from "../../test/make/export.ts";
import { makeModel } from "../../test/make/model.ts";
import { makeBinding } from "../../test/make/modelbinding.ts";
import { makeBuiltVersion } from "../../test/make/modelversion.ts";
import type { ModelBinding, ModelBindingSpec } from "../api/modelbinding.ts";
import { createAdmissionStores } from "../gather/admission-stores.ts";
import type { Change } from "../kube/store.ts";
import {
  bindingsServing,
  bindingsServingModel,
  keysOfBinding,
  keysOfNamespace,
} from "./binding-keys.ts";

function serving(
  name: string,
  spec: Partial<ModelBindingSpec>,
  namespace = "team-a",
): ModelBinding {
  return makeBinding((each) => {
    Object.assign(each.metadata, { name, namespace, generation: 1 });
    each.spec = { selector: each.spec.selector, ...spec };
  });
}

const stores = createAdmissionStores();
const web = serving("web", { serve: { modelVersion: "mnist-v1" } });
for (const each of [
  web,
  serving("latest", { serve: { model: "mnist" } }),
  serving("alias", { serve: { model: "mnist", alias: "production" } }),
  serving("other", { serve: { modelVersion: "words-v1" } }),
  serving("export", { export: makeExport() }),
  serving("elsewhere", { serve: { modelVersion: "mnist-v1" } }, "team-b"),
]) {
  stores.bindings.set(each);
}
const ALL = ["web", "latest", "alias", "other", "export"].map(keyOf);

function keyOf(name: string): string {
  return `modelbinding/team-a/${name}`;
}

/** The binding after somebody changed it. */
function changed(metadata: object, rest: object = {}): Change<ModelBinding> {
  const object = { ...web, ...rest, metadata: { ...web.metadata, ...metadata } };
  return { type: "updated", object, previous: web };
}

test("the label of a namespace concerns its bindings", () => {
  expect(keysOfNamespace(stores, "team-a")).toEqual(ALL);
  expect(keysOfNamespace(stores, "team-c")).toEqual([]);
});

describe("a binding concerns", () => {
  test.each<[string, Change<ModelBinding>, readonly string[]]>([
    ["all of its namespace when it is new", { type: "added", object: web }, ALL],
    ["all of its namespace when it is gone", { type: "deleted", object: web }, ALL],
    ["all of its namespace when its spec changes", changed({ generation: 2 }), ALL],
    [
      "all of its namespace when somebody deletes it",
      changed({ deletionTimestamp: "2026-11-23T00:00:00Z" }),
      ALL,
    ],
    [
      "itself when its status changes",
      changed({}, { status: { injected: 1 } }),
      ["web"].map(keyOf),
    ],
  ])("%s", (_, change, keys) => {
    expect(new Set(keysOfBinding(stores, change))).toEqual(new Set(keys));
  });

  test("itself though the store has it no more", () => {
    const { bindings } = createAdmissionStores();
    expect(keysOfBinding({ bindings }, { type: "deleted", object: web })).toEqual([keyOf("web")]);
  });
});

test("a version concerns the bindings that serve it by its name or its Model's", () => {
  expect(bindingsServing(stores, makeBuiltVersion())).toEqual(
    ["web", "latest", "alias"].map(keyOf),
  );
});

test("a version without a spec concerns those that name it", () => {
  const bare = makeBuiltVersion((each) => void Object.assign(each, { spec: undefined }));
  expect(bindingsServing(stores, bare)).toEqual([keyOf("web")]);
});

test("a Model concerns the bindings that serve it", () => {
  expect(bindingsServingModel(stores, makeModel())).toEqual(["latest", "alias"].map(keyOf));
});
