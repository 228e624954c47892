import { describe, expect, test } from "vitest";
import { DIGEST, makeBuiltVersion, makeModelVersion } from "../../test/make/modelversion.ts";
import { makeFailedVersion } from "../../test/make/modelversion.ts";
import { builtDigest, isBuilding } from "./modelversion.ts";

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
