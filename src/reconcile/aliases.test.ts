import { describe, expect, test } from "vitest";
import { makeModel } from "../../test/make/model.ts";
import {
  DIGEST,
  leavingVersion,
  makeBuiltVersion,
  makeFailedVersion,
  makeModelVersion,
  namedVersion,
} from "../../test/make/modelversion.ts";
import type { Model } from "../api/model.ts";
import type { ModelVersion } from "../api/modelversion.ts";
import { resolveAliases, type ResolvedAliases } from "./aliases.ts";

const IMAGE = "registry.example/models/mnist:v1";
const LETTERS = makeBuiltVersion((version) => void (version.spec.modelName = "letters"));

describe("an alias", () => {
  test("of a version that is built points to its image and digest", () => {
    expect(resolve({ production: "v1" }, [namedVersion("v1", 1)])).toEqual({
      aliases: [{ name: "production", modelVersion: "v1", image: IMAGE, digest: DIGEST }],
      condition: {
        type: "AliasesResolved",
        status: "True",
        reason: "AliasesResolved",
        message: "every alias names a version that is built",
        observedGeneration: 1,
      },
    });
  });

  test("of a version that KubeDL built points to its tag", () => {
    const version = makeBuiltVersion((each) => void delete each.status?.digest);
    expect(resolve({ production: "v1" }, [namedVersion("v1", 1, version)]).aliases).toEqual([
      { name: "production", modelVersion: "v1", image: IMAGE },
    ]);
  });

  test.each<[string, readonly ModelVersion[], string]>([
    ["that does not exist", [], "does not exist"],
    ["that is not built", [namedVersion("v1", 1, makeModelVersion())], "is not built yet"],
    [
      "whose build failed for good",
      [namedVersion("v1", 1, makeFailedVersion())],
      "could not be built",
    ],
    ["that is being deleted", [leavingVersion(namedVersion("v1", 1))], "is being deleted"],
    ["of another model", [namedVersion("v1", 1, LETTERS)], "is a version of model letters"],
    [
      "that was stored without spec",
      [namedVersion("v1", 1, { ...LETTERS, spec: undefined } as never)],
      "is a version of model none",
    ],
  ])("of a version %s waits, and the condition says why", (_, aliased, why) => {
    expect(resolve({ production: "v1" }, aliased)).toEqual({
      condition: {
        type: "AliasesResolved",
        status: "False",
        reason: "AliasPending",
        message: `production waits for ModelVersion v1, which ${why}`,
        observedGeneration: 1,
      },
    });
  });
});

describe("several aliases", () => {
  test("are listed by name, and those that wait keep none of the others", () => {
    const wanted = { stable: "v1", canary: "v3", beta: "v2" };
    const { aliases, condition } = resolve(wanted, [
      namedVersion("v2", 2),
      namedVersion("v1", 1),
      namedVersion("v3", 3, makeModelVersion()),
    ]);
    expect(aliases?.map(({ name, modelVersion }) => `${name}: ${modelVersion}`)).toEqual([
      "beta: v2",
      "stable: v1",
    ]);
    expect(condition?.message).toBe("canary waits for ModelVersion v3, which is not built yet");
  });

  test("that all wait are named as far as people read", () => {
    const wanted = Object.fromEntries(
      Array.from({ length: 12 }, (_, index) => [`a${10 + index}`, `v${index}`]),
    );
    const message = resolve(wanted, []).condition?.message ?? "";
    expect(message).toMatch(
      /^a10 waits for ModelVersion v0, which does not exist; a11 .* and 2 more$/,
    );
  });

  test.each<[string, Model]>([
    ["no aliases", modelWith({})],
    ["no spec", makeModel((model) => void Object.assign(model, { spec: undefined }))],
  ])("are not spoken of in a Model with %s", (_, model) => {
    expect(resolveAliases({ now: 0, model, versions: [], aliased: [] })).toEqual({});
  });
});

function modelWith(aliases: Record<string, string>): Model {
  return makeModel((model) => void (model.spec = { aliases }));
}

function resolve(
  aliases: Record<string, string>,
  aliased: readonly ModelVersion[],
): ResolvedAliases {
  return resolveAliases({ now: 0, model: modelWith(aliases), versions: [], aliased });
}
