import { describe, expect, test } from "vitest";
import { DIGEST, makeBuiltVersion, makeModelVersion } from "../../test/make/modelversion.ts";
import { makeFailedVersion } from "../../test/make/modelversion.ts";
import { builtDigest, hasNoShell, isBuilding, type ModelVersion } from "./modelversion.ts";

const building = makeModelVersion((version) => {
  version.status = { imageBuildPhase: "ImageBuilding", digest: DIGEST };
});

describe("isBuilding", () => {
  test.each([
    ["new", makeModelVersion(), true],
    ["in work", building, true],
    ["built", makeBuiltVersion(), false],
    ["failed for good", makeFailedVersion(), false],
  ])("of a version that is %s is %s", (_, version, expected) => {
    expect(isBuilding(version)).toBe(expected);
  });
});

describe("builtDigest", () => {
  test.each([
    ["new", makeModelVersion(), undefined],
    ["in work", building, undefined],
    ["built", makeBuiltVersion(), DIGEST],
    ["failed for good", makeFailedVersion(), undefined],
  ])("of a version that is %s is %s", (_, version, expected) => {
    expect(builtDigest(version)).toBe(expected);
  });
});

describe("hasNoShell", () => {
  test.each<[string, ModelVersion, boolean]>([
    ["built without one", builtWith(false), true],
    ["built with one", builtWith(true), false],
    ["built when nobody looked for one", makeBuiltVersion(), false],
    ["built on nothing when nobody looked for one", onBase("scratch", makeBuiltVersion()), false],
    ["not built", makeModelVersion(), false],
    ["to be built on nothing", onBase("scratch"), true],
    ["being built on nothing", onBase("scratch", building), true],
    ["to be built on an image", onBase("busybox"), false],
    ["to be built on an image of that name elsewhere", onBase("registry.example/scratch"), false],
    ["stored without a spec", withoutSpec(), false],
  ])("of a version that is %s is %s", (_, version, expected) => {
    expect(hasNoShell(version)).toBe(expected);
  });
});

function builtWith(shell: boolean): ModelVersion {
  return makeBuiltVersion((version) => {
    version.status = { ...version.status, shell };
  });
}

function onBase(baseImage: string, version: ModelVersion = makeModelVersion()): ModelVersion {
  return { ...version, spec: { ...version.spec, builder: { baseImage } } };
}

function withoutSpec(): ModelVersion {
  const { spec: _, ...rest } = makeModelVersion();
  return rest as ModelVersion;
}
