import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ANNOTATIONS } from "../api/annotations.ts";
import { deepFreeze } from "../kube/freeze.ts";
import {
  boundModel,
  contradictions,
  namingKey,
  readModels,
  type BoundServe,
  type WantedModel,
} from "./wanted-models.ts";

type Annotations = Readonly<Record<string, string>>;

const FIELD = "metadata.annotations[model.kubedl.io/models]";
const NOT_PATH = 'must be an absolute path without ".." and ":", and not /';

function read(given: Annotations): {
  readonly models: readonly WantedModel[];
  readonly faults: readonly string[];
} {
  const faults: string[] = [];
  const models = readModels(
    deepFreeze(given),
    "metadata.annotations",
    (key, message, below = "") => void faults.push(`${key}${below}: ${message}`),
  );
  return { models, faults };
}

/** What is read of a list of models. */
function readList(list: unknown) {
  const text = typeof list === "string" ? list : JSON.stringify(list);
  const { models, faults } = read({ [ANNOTATIONS.models]: text });
  return { models, faults: faults.map((fault) => fault.replace(ANNOTATIONS.models, "")) };
}

function faultsOf(list: unknown): readonly string[] {
  return readList(list).faults;
}

const entry = (mountPath: string) => ({ modelVersion: "mnist-v1", mountPath });

describe("one model", () => {
  test.each<[string, Annotations, object]>([
    ["by its version", { [ANNOTATIONS.modelVersion]: "mnist-v1" }, { modelVersion: "mnist-v1" }],
    ["by its Model", { [ANNOTATIONS.model]: "mnist" }, { model: "mnist" }],
    [
      "by an alias",
      { [ANNOTATIONS.model]: "mnist", [ANNOTATIONS.alias]: "production" },
      { model: "mnist", alias: "production" },
    ],
    [
      "by a name that every object inherits",
      { [ANNOTATIONS.model]: "constructor", [ANNOTATIONS.alias]: "constructor" },
      { model: "constructor", alias: "constructor" },
    ],
  ])("is wanted %s, at the usual path or at another", (_, given, wanted) => {
    const field = `metadata.annotations[${namingKey(given)}]`;
    expect(read(given)).toEqual({
      models: [{ wanted, mountPath: "/kubedl-model", field }],
      faults: [],
    });
    expect(read({ ...given, [ANNOTATIONS.mountPath]: "/models//a/" })).toEqual({
      models: [{ wanted, mountPath: "/models//a/", field }],
      faults: [],
    });
  });

  test("is not wanted where no key names one", () => {
    expect(read({ [ANNOTATIONS.mountPath]: "nowhere" })).toEqual({ models: [], faults: [] });
    expect(namingKey({ [ANNOTATIONS.alias]: "production" })).toBeUndefined();
  });

  test.each([
    [ANNOTATIONS.modelVersion, "__proto__"],
    [ANNOTATIONS.model, "__proto__"],
    [ANNOTATIONS.model, ""],
    [ANNOTATIONS.model, "team-b/mnist"],
    [ANNOTATIONS.model, "a".repeat(254)],
  ])("can not be wanted by %s: %j", (key, name) => {
    expect(read({ [key]: name }).faults).toEqual([
      expect.stringMatching(
        /^model\.kubedl\.io\/model(-version)?: ".*" is not the name of a Model/,
      ),
    ]);
  });

  test.each(["", "__proto__", "a/b", "a.b", "a".repeat(64)])(
    "can not be wanted by the alias %j",
    (alias) => {
      expect(read({ [ANNOTATIONS.model]: "mnist", [ANNOTATIONS.alias]: alias }).faults).toEqual([
        expect.stringMatching(/^model\.kubedl\.io\/alias: ".*" is not an alias/),
      ]);
    },
  );
});

describe("several models", () => {
  test("are wanted in the order of the list", () => {
    const list = [
      { modelVersion: "resnet-v1", mountPath: "/models/resnet/" },
      { model: "mnist", mountPath: "/models/mnist" },
      { model: "bert", alias: "production", mountPath: "/bert" },
    ];
    expect(readList(list)).toEqual({
      models: [
        {
          wanted: { modelVersion: "resnet-v1" },
          mountPath: "/models/resnet/",
          field: `${FIELD}[0]`,
        },
        { wanted: { model: "mnist" }, mountPath: "/models/mnist", field: `${FIELD}[1]` },
        {
          wanted: { model: "bert", alias: "production" },
          mountPath: "/bert",
          field: `${FIELD}[2]`,
        },
      ],
      faults: [],
    });
  });

  test("may be one, or one and the same at several places", () => {
    expect(readList([entry("/a")]).models).toHaveLength(1);
    expect(readList([entry("/a"), entry("/b")])).toMatchObject({ models: [{}, {}], faults: [] });
  });

  test("may be as many as a pod can be given", () => {
    const list = Array.from({ length: 17 }, (_, index) => entry(`/${index}`));
    expect(readList(list.slice(0, 16)).models).toHaveLength(16);
    expect(readList(list)).toEqual({
      models: [],
      faults: [": has 17 entries; at most 16 are allowed"],
    });
  });

  test.each<[string, unknown, readonly string[]]>([
    [
      "no text",
      "",
      [expect.stringMatching(/^: is not JSON such as \[\{"modelVersion":/) as string],
    ],
    ["a name", "mnist", [expect.stringMatching(/^: is not JSON such as/) as string]],
    ["null", "null", [": null must be a list"]],
    ["one entry without a list", entry("/a"), [": an object must be a list"]],
    ["an empty list", [], [": must not be empty"]],
    ["a list of names", ["mnist-v1"], ['[0]: "mnist-v1" must be an object']],
    ["a list of lists", [[]], ["[0]: a list must be an object"]],
    ["an entry that is null", [null], ["[0]: null must be an object"]],
    ["no path", [{ modelVersion: "mnist-v1" }], ["[0].mountPath: is required"]],
    ["a path that is relative", [entry("a")], [`[0].mountPath: "a" ${NOT_PATH}`]],
    ["the root", [entry("/.")], [`[0].mountPath: "/." ${NOT_PATH}`]],
    ["a path that climbs", [entry("/a/../b")], [`[0].mountPath: "/a/../b" ${NOT_PATH}`]],
    [
      "a path that would part a list of paths",
      [entry("/a:b")],
      [`[0].mountPath: "/a:b" ${NOT_PATH}`],
    ],
    ["a path that is a number", [entry(1 as never)], ["[0].mountPath: 1 must be a string"]],
    [
      "no model",
      [{ mountPath: "/a" }],
      ["[0]: exactly one of modelVersion and model is allowed, found none"],
    ],
    [
      "a version and a Model",
      [{ ...entry("/a"), model: "mnist" }],
      ["[0]: exactly one of modelVersion and model is allowed, found both"],
    ],
    [
      "an alias without a Model",
      [{ ...entry("/a"), alias: "production" }],
      ["[0].alias: needs model"],
    ],
    [
      "bad names",
      [
        { modelVersion: "__proto__", mountPath: "/a" },
        { model: "A", alias: "b.c", mountPath: "/b" },
      ],
      [
        '[0].modelVersion: "__proto__" is not the name of a ModelVersion (lower case letters, digits, "-" and ".", at most 253)',
        '[1].model: "A" is not the name of a Model (lower case letters, digits, "-" and ".", at most 253)',
        '[1].alias: "b.c" is not an alias (lower case letters, digits and "-", at most 63 characters)',
      ],
    ],
    [
      "an unknown key",
      [entry("/a"), { ...entry("/b"), version: 1 }],
      ["[1].version: is unknown; allowed: modelVersion, model, alias, mountPath"],
    ],
    [
      "a key that is nearly a known one",
      [{ model: "mnist", mountpath: "/a" }],
      [
        "[0].mountPath: is required",
        "[0].mountpath: is unknown; allowed: modelVersion, model, alias, mountPath; did you mean mountPath?",
      ],
    ],
    [
      "a key that no object should have",
      '[{"modelVersion":"mnist-v1","mountPath":"/a","__proto__":{"alias":"b"}}]',
      ["[0].__proto__: is unknown; allowed: modelVersion, model, alias, mountPath"],
    ],
    [
      "more than anybody reads",
      " ".repeat(16_385),
      [": has 16385 characters; at most 16384 are allowed"],
    ],
  ])("are refused with %s", (_, list, faults) => {
    expect(readList(list)).toEqual({ models: [], faults });
  });

  test.each([
    ["/a", "/a"],
    ["/a", "//a/./"],
    ["/a", "/a/b"],
    ["/a/b/c", "/a"],
    ["/a/b", "/a//b/c"],
  ])("can not lie at %s and %s", (one, other) => {
    expect(faultsOf([entry(one), entry("/elsewhere"), entry(other)])).toEqual([
      `[2].mountPath: ${JSON.stringify(other)} meets ${JSON.stringify(one)} of another entry; models can not lie in each other`,
    ]);
  });

  test.each([
    ["/a", "/ab"],
    ["/a/b", "/a/c"],
    ["/A", "/a"],
  ])("can lie at %s and %s", (one, other) => {
    expect(faultsOf([entry(one), entry(other)])).toEqual([]);
  });
});

describe("keys contradict each other", () => {
  const { modelVersion, model, alias, models, mountPath } = ANNOTATIONS;
  test.each<[readonly string[], readonly (readonly [string, string])[]]>([
    [[modelVersion, model], [[model, excludes(modelVersion)]]],
    [[modelVersion, models], [[models, excludes(modelVersion)]]],
    [[model, models], [[models, excludes(model)]]],
    [
      [modelVersion, model, models],
      [
        [model, excludes(modelVersion)],
        [models, excludes(modelVersion)],
      ],
    ],
    [[alias], [[alias, `needs ${model}`]]],
    [[alias, modelVersion], [[alias, `needs ${model}`]]],
    [[alias, models], [[alias, `needs ${model}`]]],
    [[models, mountPath], [[mountPath, `excludes ${models}, whose entries have paths`]]],
    [
      [models, mountPath, alias],
      [
        [alias, `needs ${model}`],
        [mountPath, `excludes ${models}, whose entries have paths`],
      ],
    ],
  ])("%j", (keys, found) => {
    expect(contradictions(having(keys))).toEqual(found);
  });

  test.each<[readonly string[]]>([
    [[]],
    [[modelVersion]],
    [[modelVersion, mountPath]],
    [[model]],
    [[model, alias]],
    [[model, alias, mountPath]],
    [[models]],
    [[mountPath]],
  ])("never %j", (keys) => {
    expect(contradictions(having(keys))).toEqual([]);
  });
});

describe("a binding's model", () => {
  test.each<[string, BoundServe["serve"], WantedModel]>([
    [
      "is a version",
      { modelVersion: "mnist-v1" },
      {
        wanted: { modelVersion: "mnist-v1", boundAt: "/kubedl-model" },
        mountPath: "/kubedl-model",
        field: "ModelBinding web: spec.serve.modelVersion",
      },
    ],
    [
      "is an alias, at the binding's path",
      { model: "mnist", alias: "production", mountPath: "/m" },
      {
        wanted: { model: "mnist", alias: "production", boundAt: "/m" },
        mountPath: "/m",
        field: "ModelBinding web: spec.serve.model",
      },
    ],
    [
      "is a Model's latest version",
      { model: "mnist" },
      {
        wanted: { model: "mnist", boundAt: "/kubedl-model" },
        mountPath: "/kubedl-model",
        field: "ModelBinding web: spec.serve.model",
      },
    ],
  ])("%s", (_, serve, model) => {
    const bound = deepFreeze({ name: "web", serve });
    expect(boundModel(bound, undefined)).toEqual(model);
    const wanted = { ...model.wanted, boundAt: "/mine" };
    expect(boundModel(bound, "/mine")).toEqual({ ...model, wanted, mountPath: "/mine" });
  });

  test("is none where a stored binding names none", () => {
    expect(boundModel({ name: "web", serve: {} }, undefined)).toBeUndefined();
  });
});

test("any text in place of a list is read, or refused with a fault", () => {
  const part = fc.oneof(fc.constantFrom("mnist", "a.b", "/a", "/a/b", "__proto__"), fc.jsonValue());
  const anyEntry = fc.oneof(
    fc.jsonValue(),
    fc.record(
      { modelVersion: part, model: part, alias: part, mountPath: part, other: part },
      { requiredKeys: [] },
    ),
  );
  const text = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.json(),
    fc.array(anyEntry, { maxLength: 20 }).map((list) => JSON.stringify(list)),
  );
  fc.assert(
    fc.property(text, (each) => {
      const { models, faults } = readList(each);
      expect(models.length + faults.length).toBeGreaterThan(0);
    }),
  );
});

function excludes(key: string): string {
  return `excludes ${key}: one of them says which model is wanted`;
}

function having(keys: readonly string[]): Annotations {
  return Object.fromEntries(keys.map((key) => [key, "x"]));
}
