import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { makeModel } from "../../test/make/model.ts";
import { makeBuiltVersion, makeModelVersion, namedVersion } from "../../test/make/modelversion.ts";
import { makeDeletion, makeRequest, makeUpdate } from "../../test/make/request.ts";
import { makeSnapshot } from "../../test/make/snapshot.ts";
import { modelSpecSchema, type Model } from "../api/model.ts";
import type { Cause } from "../api/review.ts";
import { decideModel, decideModelDeletion, modelReferences } from "./model.ts";
import type { Snapshot } from "./snapshot.ts";

const OTHER = namedVersion(
  "letters-1",
  1,
  makeModelVersion((version) => void (version.spec.modelName = "letters")),
);
const SNAPSHOT = snapshotOf("mnist-v1", "mnist-v2", "mnist-v3", "mnist-v4");

describe("a Model is accepted", () => {
  test.each<[string, unknown]>([
    ["without spec", undefined],
    ["with an empty spec", {}],
    ["with the description that KubeDL's have", { description: "digits" }],
    ["with an alias of its own version", { aliases: { production: "mnist-v1" } }],
    ["with as many aliases as fit", { aliases: aliases(64) }],
    ["that keeps one version", { retention: { keepLast: 1 } }],
    ["with an empty retention", { retention: {} }],
  ])("%s", (_, spec) => {
    expect(decideModel(makeRequest(modelWith(spec)), SNAPSHOT)).toEqual({
      allowed: true,
      reason: "Valid",
      operations: [],
      warnings: [],
    });
  });
});

describe("a Model is refused", () => {
  const foreign = `"letters-1" is a version of model letters; allowed are versions of mnist, such as mnist-v1, mnist-v2, mnist-v3 and 1 more`;
  const name =
    '"Pro.d" is no name of an alias: lower case letters, digits and "-", beginning and ending with a letter or digit';
  test.each<[string, unknown, readonly Cause[]]>([
    [
      "that keeps no version",
      { retention: { keepLast: 0 } },
      [{ field: "spec.retention.keepLast", message: "0 must be at least 1", rule: "KeepLast" }],
    ],
    [
      "that keeps half a version",
      { retention: { keepLast: 1.5 } },
      [
        {
          field: "spec.retention.keepLast",
          message: "1.5 must be a whole number",
          rule: "Schema",
        },
      ],
    ],
    [
      "whose alias has a name that is none",
      { aliases: { "Pro.d": "mnist-v1" } },
      [{ field: "spec.aliases[Pro.d]", message: name, rule: "AliasName" }],
    ],
    [
      "whose alias names what can be no version",
      { aliases: { production: "mnist_v1" } },
      [
        {
          field: "spec.aliases[production]",
          message:
            '"mnist_v1" is no name of a ModelVersion: lower case letters, digits, "-" and ".", such as digits-3f2a1',
          rule: "AliasName",
        },
      ],
    ],
    [
      "whose alias names a version of another model",
      { aliases: { production: "letters-1" } },
      [{ field: "spec.aliases[production]", message: foreign, rule: "AliasOfModel" }],
    ],
    [
      "with too many aliases",
      { aliases: aliases(65) },
      [
        {
          field: "spec.aliases",
          message: "has 65 entries; at most 64 are allowed",
          rule: "Schema",
        },
      ],
    ],
    [
      "whose spec is a list",
      [],
      [{ field: "spec", message: "a list must be an object", rule: "Schema" }],
    ],
    [
      "with all that is wrong",
      {
        description: 1,
        aliases: { production: "letters-1", old: 2 },
        retention: { keepLast: -1 },
      },
      [
        { field: "spec.description", message: "1 must be a string", rule: "Schema" },
        { field: "spec.aliases[old]", message: "2 must be a string", rule: "AliasName" },
        { field: "spec.retention.keepLast", message: "-1 must be at least 1", rule: "KeepLast" },
        { field: "spec.aliases[production]", message: foreign, rule: "AliasOfModel" },
      ],
    ],
  ])("%s", (_, spec, causes) => {
    expect(decideModel(makeRequest(modelWith(spec)), SNAPSHOT)).toMatchObject({
      allowed: false,
      reason: "InvalidObject",
      causes,
    });
  });

  test("without a name of its own yet when its alias names any version", () => {
    const model = makeModel((each) => {
      each.metadata = { generateName: "m-" };
      each.spec = { aliases: { production: "letters-1" } };
    });
    const { versionsOfModel: _, ...snapshot } = SNAPSHOT;
    expect(decideModel(makeRequest(model), snapshot)).toMatchObject({
      message: `spec.aliases[production]: "letters-1" is a version of model letters; allowed are versions of this model, of which there are none yet`,
    });
  });
});

describe("an alias of a version that does not exist", () => {
  test.each<[string, string, string]>([
    ["is warned of", "next", "waits for ModelVersion next, which does not exist"],
    [
      "is warned of with the name that was meant",
      "mnist-w1",
      "waits for ModelVersion mnist-w1, which does not exist; did you mean mnist-v1?",
    ],
    [
      "is warned of when it is called like a part of every object",
      "constructor",
      "waits for ModelVersion constructor, which does not exist",
    ],
  ])("%s", (_, target, text) => {
    const model = modelWith({ aliases: { production: target } });
    expect(decideModel(makeRequest(model), SNAPSHOT)).toMatchObject({
      allowed: true,
      warnings: [{ reason: "AliasPending", message: `spec.aliases[production]: ${text}` }],
    });
  });
});

describe("a stored Model", () => {
  const stored = modelWith({ aliases: { production: "letters-1" } });

  test("that broke a rule before the rule existed can get annotations", () => {
    const annotated = makeModel((model) => {
      model.spec = stored.spec ?? {};
      model.metadata.annotations = { "model.kubedl.io/x": "1" };
    });
    expect(decideModel(makeUpdate(annotated, stored), SNAPSHOT)).toMatchObject({
      allowed: true,
      warnings: [],
    });
  });

  test("whose alias turned out to name a version of another model can change otherwise", () => {
    const described = modelWith({ ...stored.spec, description: "letters?" });
    expect(decideModel(makeUpdate(described, stored), SNAPSHOT)).toMatchObject({
      allowed: true,
      warnings: [
        {
          reason: "AliasPending",
          message:
            "spec.aliases[production]: waits for ModelVersion letters-1, which is a version of model letters",
        },
      ],
    });
  });

  test("can get no such alias anew", () => {
    const more = modelWith({ aliases: { production: "letters-1", canary: "letters-1" } });
    expect(decideModel(makeUpdate(more, stored), SNAPSHOT)).toMatchObject({
      allowed: false,
      causes: [{ field: "spec.aliases[canary]" }],
    });
  });
});

describe("a Model that is deleted", () => {
  test.each<[string, readonly string[], string]>([
    ["one version", ["mnist-v1"], "1 version of Model mnist stays: mnist-v1"],
    [
      "several versions",
      ["mnist-v4", "mnist-v2", "mnist-v1", "mnist-v3"],
      "4 versions of Model mnist stay: mnist-v1, mnist-v2, mnist-v3 and 1 more",
    ],
  ])("leaves %s, which is said", (_, names, text) => {
    const decision = decideModelDeletion(makeDeletion(makeModel()), snapshotOf(...names));
    expect(decision).toMatchObject({
      allowed: true,
      warnings: [
        {
          reason: "VersionsRemain",
          message: `${text}; modelhook makes the Model anew for them, without aliases and retention, until they are deleted`,
        },
      ],
    });
  });

  test.each<[string, Model, Snapshot]>([
    ["has no version", makeModel(), snapshotOf()],
    [
      "is deleted for the second time",
      makeModel((model) => void (model.metadata.deletionTimestamp = "2026-11-23T00:00:00Z")),
      SNAPSHOT,
    ],
  ])("goes without a word when it %s", (_, model, snapshot) => {
    expect(decideModelDeletion(makeDeletion(model), snapshot)).toMatchObject({
      allowed: true,
      warnings: [],
    });
  });
});

test("whatever is sent as a Model is answered: accepted only when it fits the schema", () => {
  const spec = fc.oneof(
    fc.jsonValue(),
    fc.record(
      {
        description: fc.jsonValue(),
        aliases: fc.oneof(fc.jsonValue(), fc.dictionary(fc.string(), fc.jsonValue())),
        retention: fc.oneof(fc.jsonValue(), fc.record({ keepLast: fc.jsonValue() })),
      },
      { requiredKeys: [] },
    ),
  );
  fc.assert(
    fc.property(spec, (given) => {
      const request = makeRequest(modelWith(given));
      expect(modelReferences(request).versions.length).toBeLessThanOrEqual(64);
      const { allowed, reason } = decideModel(request, SNAPSHOT);
      const fits = modelSpecSchema.safeParse(given).success;
      expect({ allowed, reason }).toEqual({
        allowed: fits,
        reason: fits ? "Valid" : "InvalidObject",
      });
    }),
  );
});

describe("references of a Model", () => {
  test("are the versions that its aliases name, each once, and the names of its own", () => {
    const model = modelWith({ aliases: { a: "v1", b: "v1", c: "v2", d: "v_3", e: 4 } });
    expect(modelReferences(makeRequest(model))).toEqual({
      namespace: "team-a",
      versions: ["v1", "v2"],
      wanted: [],
      model: "mnist",
    });
  });

  test("are bounded", () => {
    const model = modelWith({ aliases: aliases(1000) });
    expect(modelReferences(makeRequest(model)).versions).toHaveLength(64);
  });

  test.each<[string, unknown]>([
    ["a list", ["a"]],
    ["a text", "a"],
    ["null", null],
  ])("are none when its aliases are %s", (_, given) => {
    expect(modelReferences(makeRequest(modelWith({ aliases: given }))).versions).toEqual([]);
  });
});

function modelWith(spec: unknown): Model {
  return makeModel((model) => void Object.assign(model, { spec }));
}

function aliases(count: number): object {
  const entries = Array.from({ length: count }, (_, index) => {
    return [`a${index}`, count > 100 ? `v${index}` : "mnist-v1"];
  });
  return Object.fromEntries(entries) as object;
}

function snapshotOf(...names: readonly string[]): Snapshot {
  const own = names.map((name, index) => namedVersion(name, index + 1, makeBuiltVersion()));
  return makeSnapshot([...own, OTHER], (snapshot) => void (snapshot.versionsOfModel = names));
}
