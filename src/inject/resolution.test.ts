import { describe, expect, test } from "vitest";
import { makeModel } from "../../test/make/model.ts";
import {
  DIGEST,
  makeBuiltVersion,
  makeFailedVersion,
  makeModelVersion,
  namedVersion,
} from "../../test/make/modelversion.ts";
import { makePod, makeUsingPod } from "../../test/make/pod.ts";
import { ANNOTATIONS } from "../api/annotations.ts";
import type { Pod } from "../api/kube-types.ts";
import type { Model } from "../api/model.ts";
import type { ModelVersion } from "../api/modelversion.ts";
import type { Wanted } from "../api/wanted.ts";
import { deepFreeze } from "../kube/freeze.ts";
import { candidates, resolve, type Known } from "./resolution.ts";
import { printStatus, readStatus, type ServedModel } from "./serving-status.ts";

const LATEST: Wanted = { model: "mnist" };
const PRODUCTION: Wanted = { model: "mnist", alias: "production" };
const OTHER_DIGEST = `sha256:${"b".repeat(64)}`;

/** The versions, and Model mnist whose latest is mnist-v1 unless it is given. */
function known(
  versions: readonly ModelVersion[],
  models: readonly Model[] = [latest("mnist-v1")],
  siblings: readonly Pod[] = [],
): Known {
  return deepFreeze({ versions: byName(versions), models: byName(models), siblings });
}

function byName<T extends Model | ModelVersion>(all: readonly T[]): Record<string, T> {
  return Object.fromEntries(all.map((each) => [each.metadata.name ?? "", each]));
}

function latest(modelVersion: string, name = "mnist"): Model {
  return makeModel((model) => {
    model.metadata = { ...model.metadata, name };
    model.status = { latestVersion: { modelVersion, imageName: `r/${modelVersion}:1` } };
  });
}

function aliased(aliases: Readonly<Record<string, string>>): Model {
  return makeModel((model) => void (model.spec = { aliases: { ...aliases } }));
}

/** A version under a name, with a digest of its own. */
function built(name: string, digest = DIGEST): ModelVersion {
  return namedVersion(
    name,
    1,
    makeBuiltVersion((version) => {
      version.status = { ...version.status, digest };
    }),
  );
}

function ofModel(name: string, modelName: string): ModelVersion {
  return namedVersion(
    name,
    1,
    makeBuiltVersion((version) => {
      version.spec = { ...version.spec, modelName };
    }),
  );
}

/** A pod of the same controller that asked by the words, and got this. */
function sibling(wanted: Wanted, got: Partial<ServedModel> = {}): Pod {
  return makeUsingPod(() => {}, { wanted, ...got });
}

describe("a version that is named", () => {
  const wanted = { modelVersion: "mnist-v1" };
  const version = makeBuiltVersion();

  test("is delivered by its digest once it is built", () => {
    expect(resolve(wanted, known([version]))).toEqual({
      state: "built",
      version,
      name: "mnist-v1",
      digest: DIGEST,
    });
  });

  test("is delivered whatever siblings have, and whatever is latest", () => {
    const siblings = [sibling(wanted, { modelVersion: "mnist-v2" })];
    const all = known([version, built("mnist-v2")], [latest("mnist-v2")], siblings);
    expect(resolve(wanted, all)).toMatchObject({ state: "built", name: "mnist-v1" });
    expect(candidates(wanted, all)).toEqual(["mnist-v1"]);
  });

  test("is waited for while it is not there", () => {
    expect(resolve(wanted, known([]))).toEqual({
      state: "waiting",
      reason: "ModelNotFound",
      message: "ModelVersion mnist-v1 does not exist",
      unknown: { kind: "ModelVersion", name: "mnist-v1" },
    });
  });

  test("is waited for while it is not built, its image known", () => {
    const building = makeModelVersion(
      (each) => void (each.status = { imageBuildPhase: "ImageBuilding" }),
    );
    for (const each of [makeModelVersion(), building]) {
      expect(resolve(wanted, known([each]))).toEqual({
        state: "waiting",
        reason: "ModelNotBuilt",
        message: "ModelVersion mnist-v1 is not built yet",
        version: each,
      });
    }
  });

  test("is waited for when another controller built it, and recorded no digest", () => {
    const foreign = makeBuiltVersion(({ status }) => void delete status?.digest);
    expect(resolve(wanted, known([foreign]))).toMatchObject({
      state: "waiting",
      reason: "ModelNotBuilt",
      message: expect.stringContaining("is built, but its status has no digest") as unknown,
    });
  });

  test("is refused when its build failed for good", () => {
    expect(resolve(wanted, known([makeFailedVersion()]))).toEqual({
      state: "failed",
      message: "the build of ModelVersion mnist-v1 failed: the directory is empty",
    });
    const silent = makeModelVersion(
      (each) => void (each.status = { imageBuildPhase: "ImageBuildFailed" }),
    );
    expect(resolve(wanted, known([silent]))).toMatchObject({
      message: "the build of ModelVersion mnist-v1 failed: no reason given",
    });
  });

  test.each(["constructor", "__proto__", "toString"])(
    "and is called %s is like any other",
    (name) => {
      expect(resolve({ modelVersion: name }, known([]))).toMatchObject({ reason: "ModelNotFound" });
      expect(resolve({ modelVersion: name }, known([built(name)]))).toMatchObject({ name });
    },
  );
});

describe("the latest version of a Model", () => {
  test("is the one that its status names", () => {
    const all = known([built("mnist-v1"), built("mnist-v2", OTHER_DIGEST)], [latest("mnist-v2")]);
    expect(resolve(LATEST, all)).toMatchObject({
      state: "built",
      name: "mnist-v2",
      digest: OTHER_DIGEST,
    });
    expect(candidates(LATEST, all)).toEqual(["mnist-v2"]);
  });

  test.each<[string, readonly Model[], readonly ModelVersion[], object]>([
    [
      "while the Model is not there",
      [],
      [built("mnist-v1")],
      {
        state: "waiting",
        reason: "ModelNotFound",
        message: "Model mnist does not exist",
        unknown: { kind: "Model", name: "mnist" },
      },
    ],
    [
      "while none is built",
      [makeModel()],
      [makeModelVersion()],
      {
        state: "waiting",
        reason: "ModelNotBuilt",
        message: "Model mnist has no built version yet",
      },
    ],
    [
      "while the Model, without a spec, knows of none",
      [makeModel((model) => void delete model.spec)],
      [],
      {
        state: "waiting",
        reason: "ModelNotBuilt",
        message: "Model mnist has no built version yet",
      },
    ],
    [
      "while the one that it was is deleted",
      [latest("mnist-v1")],
      [],
      {
        state: "waiting",
        reason: "ModelNotFound",
        message: "the latest version of Model mnist is ModelVersion mnist-v1, which does not exist",
        unknown: { kind: "ModelVersion", name: "mnist-v1" },
      },
    ],
    [
      "while it is one of another Model",
      [latest("other-v1")],
      [ofModel("other-v1", "other")],
      {
        state: "waiting",
        reason: "AliasPending",
        message:
          "the latest version of Model mnist is ModelVersion other-v1, which is a version of Model other",
      },
    ],
  ])("is waited for %s", (_, models, versions, resolved) => {
    expect(resolve(LATEST, known(versions, models))).toEqual(resolved);
  });
});

describe("an alias", () => {
  test("is what the Model's spec says, not the status, which comes later", () => {
    const model = makeModel((each) => {
      each.spec = { aliases: { production: "mnist-v2" } };
      each.status = {
        latestVersion: { modelVersion: "mnist-v3", imageName: "r/mnist:3" },
        aliases: [
          { name: "production", modelVersion: "mnist-v1", imageName: "r/mnist:1" } as never,
        ],
      };
    });
    const all = known(
      ["mnist-v1", "mnist-v2", "mnist-v3"].map((name) => built(name)),
      [model],
    );
    expect(resolve(PRODUCTION, all)).toMatchObject({ state: "built", name: "mnist-v2" });
    expect(candidates(PRODUCTION, all)).toEqual(["mnist-v2"]);
  });

  test.each<[string, readonly Model[], readonly ModelVersion[], object]>([
    [
      "while the Model is not there",
      [],
      [],
      { reason: "ModelNotFound", unknown: { kind: "Model", name: "mnist" } },
    ],
    [
      "while the Model has no such alias",
      [aliased({ canary: "mnist-v1" })],
      [built("mnist-v1")],
      {
        reason: "AliasPending",
        message: "Model mnist has no alias production",
        unknown: { kind: "alias", name: "production" },
      },
    ],
    [
      "while the Model, without a spec, has none at all",
      [makeModel((model) => void delete model.spec)],
      [],
      { reason: "AliasPending", message: "Model mnist has no alias production" },
    ],
    [
      "while its version is not there",
      [aliased({ production: "mnist-v1" })],
      [],
      {
        reason: "ModelNotFound",
        message: "alias production of Model mnist is ModelVersion mnist-v1, which does not exist",
        unknown: { kind: "ModelVersion", name: "mnist-v1" },
      },
    ],
    [
      "while its version is not built",
      [aliased({ production: "mnist-v1" })],
      [makeModelVersion()],
      { reason: "ModelNotBuilt", version: makeModelVersion() },
    ],
    [
      "while it names a version of another Model",
      [aliased({ production: "other-v1" })],
      [ofModel("other-v1", "other")],
      {
        reason: "AliasPending",
        message:
          "alias production of Model mnist is ModelVersion other-v1, which is a version of Model other",
      },
    ],
    [
      "while it names a version that was stored without a spec",
      [aliased({ production: "mnist-v1" })],
      [makeBuiltVersion((each) => void delete (each as Partial<typeof each>).spec)],
      {
        reason: "AliasPending",
        message:
          "alias production of Model mnist is ModelVersion mnist-v1, which is a version of no model",
      },
    ],
  ])("is waited for %s", (_, models, versions, waiting) => {
    expect(resolve(PRODUCTION, known(versions, models))).toMatchObject({
      state: "waiting",
      ...waiting,
    });
  });

  test("whose version failed is refused", () => {
    const all = known([makeFailedVersion()], [aliased({ production: "mnist-v1" })]);
    expect(resolve(PRODUCTION, all)).toMatchObject({ state: "failed" });
  });

  test.each(["constructor", "toString"])("is never %s, which every object inherits", (alias) => {
    const all = known([built("mnist-v1")], [aliased({ production: "mnist-v1" })]);
    expect(resolve({ model: "mnist", alias }, all)).toMatchObject({ reason: "AliasPending" });
    expect(candidates({ model: "mnist", alias }, all)).toEqual([]);
    expect(resolve({ model: alias }, all)).toMatchObject({ reason: "ModelNotFound" });
    expect(candidates({ model: alias }, all)).toEqual([]);
  });

  test("may be called constructor", () => {
    const all = known([built("mnist-v1")], [aliased({ constructor: "mnist-v1" })]);
    expect(resolve({ model: "mnist", alias: "constructor" }, all)).toMatchObject({
      name: "mnist-v1",
    });
  });
});

describe("a pod whose siblings have a model", () => {
  const versions = [built("mnist-v1"), built("mnist-v2", OTHER_DIGEST)];
  const newest = [latest("mnist-v2")];

  test("gets theirs, and it is told that there is a newer one", () => {
    const all = known(versions, newest, [sibling(LATEST)]);
    expect(resolve(LATEST, all)).toEqual({
      state: "built",
      version: versions[0],
      name: "mnist-v1",
      digest: DIGEST,
      newer: "mnist-v2",
    });
    expect(candidates(LATEST, all)).toEqual(["mnist-v1", "mnist-v2"]);
  });

  test("gets that of the first whose version is still there", () => {
    const gone = sibling(LATEST, { modelVersion: "mnist-v0" });
    const forged = sibling(LATEST, { modelVersion: "letters-v1" });
    const all = known([...versions, ofModel("letters-v1", "letters")], newest, [
      gone,
      forged,
      sibling(LATEST),
    ]);
    expect(resolve(LATEST, all)).toMatchObject({ name: "mnist-v1", newer: "mnist-v2" });
    expect(candidates(LATEST, all)).toEqual(["mnist-v0", "letters-v1", "mnist-v1", "mnist-v2"]);
  });

  test.each<[string, Wanted]>([
    ["another version", { modelVersion: "mnist-v2", boundAt: "/kubedl-model" }],
    ["another model", { model: "letters", boundAt: "/kubedl-model" }],
  ])("keeps theirs where the binding has come to name %s", (_, wanted) => {
    const asked = sibling({ modelVersion: "mnist-v1" });
    const status = readStatus(asked);
    if (status === undefined) throw new Error("the sibling has no status");
    const annotations = { [ANNOTATIONS.status]: printStatus({ ...status, binding: "web" }) };
    const bound = { ...asked, metadata: { ...asked.metadata, annotations } };
    expect(resolve(wanted, known(versions, newest, [bound]))).toMatchObject({ name: "mnist-v1" });
    // What asked for it itself says nothing of a binding.
    const [target] = candidates(wanted, known(versions, [], [asked]));
    expect(target).not.toBe("mnist-v1");
  });

  test("is told of nothing newer while theirs is the latest, or nothing better is built", () => {
    expect(resolve(LATEST, known(versions, [latest("mnist-v1")], [sibling(LATEST)]))).toEqual({
      state: "built",
      version: versions[0],
      name: "mnist-v1",
      digest: DIGEST,
    });
    const unbuilt = namedVersion("mnist-v2", 2, makeModelVersion());
    const all = known([built("mnist-v1"), unbuilt], newest, [sibling(LATEST)]);
    expect(resolve(LATEST, all)).not.toHaveProperty("newer");
    expect(candidates(LATEST, known([], [latest("mnist-v1")], [sibling(LATEST)]))).toEqual([
      "mnist-v1",
    ]);
  });

  test.each<[string, Wanted]>([
    ["the Model is deleted", LATEST],
    ["the alias is removed", PRODUCTION],
  ])("keeps theirs though %s", (_, wanted) => {
    const models = wanted === LATEST ? [] : [aliased({})];
    expect(resolve(wanted, known(versions, models, [sibling(wanted)]))).toMatchObject({
      state: "built",
      name: "mnist-v1",
    });
  });

  test("keeps theirs though the latest failed", () => {
    const failed = namedVersion("mnist-v2", 2, makeFailedVersion());
    const all = known([built("mnist-v1"), failed], newest, [sibling(LATEST)]);
    expect(resolve(LATEST, all)).toMatchObject({ state: "built", name: "mnist-v1" });
  });

  test.each<[string, readonly Pod[]]>([
    ["none of them has one yet", [sibling(LATEST, { digest: undefined })]],
    ["they asked by another word", [sibling(PRODUCTION)]],
    ["they asked for the version itself", [sibling({ modelVersion: "mnist-v1" })]],
    ["they asked for another Model", [sibling({ model: "other" })]],
    ["their version is deleted", [sibling(LATEST, { modelVersion: "mnist-v0" })]],
    ["theirs was never a version", [sibling(LATEST, { modelVersion: "constructor" })]],
    ["they say nothing that we could have written", [said("{}"), said("null"), said("[]")]],
    ["there are none", []],
  ])("gets the latest when %s", (_, siblings) => {
    expect(resolve(LATEST, known(versions, newest, siblings))).toMatchObject({
      state: "built",
      name: "mnist-v2",
      digest: OTHER_DIGEST,
    });
  });

  test.each<[string, ModelVersion]>([
    ["of another Model", ofModel("forged", "other")],
    ["that is not built", namedVersion("forged", 2, makeModelVersion())],
    ["that failed", namedVersion("forged", 2, makeFailedVersion())],
    [
      "without a digest",
      namedVersion(
        "forged",
        2,
        makeBuiltVersion(({ status }) => void delete status?.digest),
      ),
    ],
  ])("gets the latest when a forged status names a version %s", (_, forged) => {
    const siblings = [sibling(LATEST, { modelVersion: "forged" })];
    expect(resolve(LATEST, known([...versions, forged], newest, siblings))).toMatchObject({
      name: "mnist-v2",
    });
  });

  test("gets the digest of the version, whatever a status says", () => {
    const siblings = [sibling(LATEST, { digest: "sha256:forged" })];
    expect(resolve(LATEST, known(versions, newest, siblings))).toMatchObject({
      name: "mnist-v1",
      digest: DIGEST,
    });
  });

  test("gets that of the first which has one", () => {
    const siblings = [
      makePod(),
      sibling(LATEST, { digest: undefined }),
      sibling(LATEST, { modelVersion: "mnist-v1" }),
      sibling(LATEST, { modelVersion: "mnist-v2" }),
    ];
    expect(resolve(LATEST, known(versions, newest, siblings))).toMatchObject({ name: "mnist-v1" });
  });
});

function said(status: string): Pod {
  return makePod((pod) => void (pod.metadata.annotations = { [ANNOTATIONS.status]: status }));
}
