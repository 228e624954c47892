import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { below, cleanAbsolute, cleanMountPath, cleanRelative, mountedAt } from "./path.ts";

describe("cleanAbsolute", () => {
  test.each([
    ["/", "/"],
    ["/models", "/models"],
    ["/models/", "/models"],
    ["//models///mnist/.", "/models/mnist"],
    ["/./models", "/models"],
    ["/models/..hidden", "/models/..hidden"],
    ["/models/..", undefined],
    ["/../models", undefined],
    ["models", undefined],
    ["", undefined],
    ["/models\0", undefined],
  ])("makes %j to %j", (path, clean) => {
    expect(cleanAbsolute(path)).toBe(clean);
  });

  test("changes a clean path no more", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const clean = cleanAbsolute(`/${text}`);
        expect(clean === undefined ? undefined : cleanAbsolute(clean)).toBe(clean);
      }),
    );
  });
});

describe("cleanRelative", () => {
  test.each([
    ["", ""],
    [".", ""],
    ["models", "models"],
    ["models//mnist/", "models/mnist"],
    ["/models", undefined],
    ["models/../..", undefined],
    ["models\0", undefined],
  ])("makes %j to %j", (path, clean) => {
    expect(cleanRelative(path)).toBe(clean);
  });
});

describe("cleanMountPath", () => {
  test.each([
    ["/kubedl-model/", "/kubedl-model"],
    ["/", undefined],
    ["//", undefined],
    ["/a:b", undefined],
    ["/a/../b", undefined],
    ["kubedl-model", undefined],
  ])("makes %j to %j", (path, clean) => {
    expect(cleanMountPath(path)).toBe(clean);
  });
});

describe("below", () => {
  test.each([
    ["/models", "/models", ""],
    ["/models", "/models/mnist/1", "mnist/1"],
    ["/", "/models", "models"],
    ["/models", "/models-of-others", undefined],
    ["/models/mnist", "/models", undefined],
  ])("of %j, %j is %j", (prefix, path, rest) => {
    expect(below(prefix, path)).toBe(rest);
  });
});

describe("mountedAt", () => {
  test.each([
    ["/models", "/models"],
    ["/models/", "/models"],
    ["models", "/models"],
    ["/a//./b", "/a/b"],
    ["/a/../models", "/models"],
    ["/../../models", "/models"],
    ["", "/"],
  ])("of %j is %j", (path, place) => {
    expect(mountedAt(path)).toBe(place);
  });
});
