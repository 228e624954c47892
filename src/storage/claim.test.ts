import { describe, expect, test } from "vitest";
import { makeVolumeRequest } from "../../test/make/volume-request.ts";
import { makeLimits } from "../../test/make/limits.ts";
import { claimProvider } from "./claim.ts";

describe("storage in a user's claim", () => {
  test.each([
    [{ claimName: "models" }, []],
    [{ claimName: "models", subPath: "runs/1" }, []],
    [
      { claimName: "Models", subPath: "/runs" },
      [
        {
          field: "f.claimName",
          message: '"Models" is not the name of a claim (RFC 1123 subdomain)',
        },
        { field: "f.subPath", message: '"/runs" must be a relative path without ".."' },
      ],
    ],
    [
      { claimName: "models", subPath: "../other" },
      [{ field: "f.subPath", message: '"../other" must be a relative path without ".."' }],
    ],
  ])("of %j has the faults %j", (storage, faults) => {
    expect(claimProvider.validate(storage, "f", makeLimits())).toMatchObject(faults);
  });

  test("is one place in one namespace, however its directory is written", () => {
    expect(at("a//b/")).toBe(at("a/b"));
    expect(at("")).toBe(at(undefined));
    expect(at("a", "team-b")).not.toBe(at("a"));
  });

  test.each([
    [undefined, undefined],
    [".", undefined],
    ["runs//1/", "runs/1"],
  ])("is mounted with the subPath %j as %j, and nothing is made", (subPath, expected) => {
    const plan = claimProvider.plan({ claimName: "models", subPath }, makeVolumeRequest());
    expect(plan).toEqual({
      claimName: "models",
      ...(expected === undefined ? {} : { subPath: expected }),
    });
  });
});

function at(subPath: string | undefined, namespace = "team-a"): string {
  return claimProvider.location({ claimName: "models", subPath }, namespace);
}
