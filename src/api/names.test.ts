import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  buildJobName,
  buildVolumeName,
  defaultImageTag,
  exportedVersionNames,
  hashOf,
  hexOfUid,
  isDnsLabel,
  isDnsSubdomain,
  preflightJobName,
  trainingClaimName,
} from "./names.ts";
import { isTag } from "./image-ref.ts";

const UID = "0123abcd-4567-89ef-0123-456789abcdef";

describe("isDnsLabel", () => {
  test.each([
    ["a", true],
    ["mnist-v1", true],
    ["a".repeat(63), true],
    ["a".repeat(64), false],
    ["", false],
    ["-a", false],
    ["a-", false],
    ["a.b", false],
    ["A", false],
    ["a_b", false],
    ["a\n", false],
    ["é", false],
  ])("of %j is %j", (text, expected) => {
    expect(isDnsLabel(text)).toBe(expected);
  });
});

describe("isDnsSubdomain", () => {
  test.each([
    ["a", true],
    ["mnist.v1.2", true],
    ["a".repeat(253), true],
    ["a".repeat(254), false],
    ["a..b", false],
    ["a.-b", false],
    [".a", false],
    ["a.", false],
    ["constructor", true],
    ["__proto__", false],
  ])("of %j is %j", (text, expected) => {
    expect(isDnsSubdomain(text)).toBe(expected);
  });
});

describe("hashOf", () => {
  test("keeps to the length that is asked for", () => {
    expect(hashOf(["a", "b"], 16)).toMatch(/^[0-9a-f]{16}$/);
  });

  test("tells the same text in other parts apart", () => {
    expect(hashOf(["ab", "c"], 16)).not.toBe(hashOf(["a", "bc"], 16));
  });
});

describe("names made from a UID", () => {
  test("are these", () => {
    expect(hexOfUid(UID, 10)).toBe("0123abcd45");
    expect(buildVolumeName(UID)).toBe("mh-0123abcd456789ef");
    expect(buildJobName(UID, 2)).toBe("mh-build-0123abcd4567-2");
    expect(preflightJobName(UID)).toBe("mh-preflight-0123abcd456789ef");
    expect(defaultImageTag(UID)).toBe("v0123abcd");
    expect(exportedVersionNames("mnist", UID)).toEqual([
      "mnist-0123a",
      "mnist-0123abcd45",
      "mnist-0123abcd456789ef0123456789abcdef",
    ]);
  });

  test("are valid where they are used", () => {
    fc.assert(
      fc.property(fc.uuid(), fc.integer({ min: 1, max: 999_999 }), (uid, attempt) => {
        expect(isDnsLabel(buildVolumeName(uid))).toBe(true);
        expect(isDnsLabel(buildJobName(uid, attempt))).toBe(true);
        expect(isDnsLabel(preflightJobName(uid))).toBe(true);
        expect(isTag(defaultImageTag(uid))).toBe(true);
        expect(exportedVersionNames("m".repeat(52), uid).every(isDnsSubdomain)).toBe(true);
      }),
    );
  });
});

describe("trainingClaimName", () => {
  test("is the same for the pods of one job", () => {
    expect(trainingClaimName("team-a", UID, "local:node-1:/models")).toBe(
      trainingClaimName("team-a", UID, "local:node-1:/models"),
    );
  });

  test.each([
    ["namespace", trainingClaimName("team-b", UID, "local:node-1:/models")],
    ["job", trainingClaimName("team-a", "other", "local:node-1:/models")],
    ["location", trainingClaimName("team-a", UID, "local:node-1:/other")],
  ])("differs for another %s", (_, name) => {
    expect(name).not.toBe(trainingClaimName("team-a", UID, "local:node-1:/models"));
    expect(isDnsLabel(name)).toBe(true);
  });
});
