import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  ZERO_DIGEST,
  isDigest,
  isTag,
  parseImageRef,
  pinned,
  repositoryOf,
  type ImageRef,
} from "./image-ref.ts";

const DIGEST = `sha256:${"a".repeat(64)}`;

describe("parseImageRef", () => {
  test.each<[string, ImageRef]>([
    ["busybox", { repository: "busybox" }],
    ["scratch", { repository: "scratch" }],
    ["modelhub/resnet", { repository: "modelhub/resnet" }],
    ["modelhub/resnet:v0.1", { repository: "modelhub/resnet", tag: "v0.1" }],
    ["registry.example/a/b", { registry: "registry.example", repository: "a/b" }],
    ["localhost/a", { registry: "localhost", repository: "a" }],
    ["localhost:5000/a:1", { registry: "localhost:5000", repository: "a", tag: "1" }],
    ["10.0.0.1:5000/a", { registry: "10.0.0.1:5000", repository: "a" }],
    ["[fd00::1]:5000/a", { registry: "[fd00::1]:5000", repository: "a" }],
    [`a/b@${DIGEST}`, { repository: "a/b", digest: DIGEST }],
    [`a/b:v1@${DIGEST}`, { repository: "a/b", tag: "v1", digest: DIGEST }],
    ["a/b__c-d--e.f", { repository: "a/b__c-d--e.f" }],
  ])("reads %s", (text, ref) => {
    expect(parseImageRef(text)).toEqual(ref);
  });

  test.each([
    "",
    "/",
    "a//b",
    "/a",
    "a/",
    "a/B",
    "Registry.example/a",
    "https://registry.example/a",
    "registry.example:port/a",
    "registry.example:123456/a",
    "a b",
    "a:",
    "a:.v1",
    `a:${"v".repeat(129)}`,
    "a@sha256:abc",
    `a@${DIGEST}@${DIGEST}`,
    `a@sha512:${"a".repeat(128)}`,
    "a___b",
    "a..b",
    "-a",
    "a\n",
    `registry.example/${"a".repeat(239)}`,
  ])("refuses %j", (text) => {
    expect(parseImageRef(text)).toBeUndefined();
  });

  test("never throws, and what it reads says the same again", () => {
    const character = fc.constantFrom(...Array.from("ab0/:@.-_[]"));
    fc.assert(
      fc.property(fc.string({ unit: character }), (text) => {
        const ref = parseImageRef(text);
        if (ref === undefined) return;
        const { registry, repository, tag, digest } = ref;
        const host = registry === undefined ? "" : `${registry}/`;
        const rest = `${tag === undefined ? "" : `:${tag}`}${digest === undefined ? "" : `@${digest}`}`;
        expect(host + repository + rest).toBe(text);
      }),
    );
  });
});

describe("isTag", () => {
  test.each([
    ["v1", true],
    ["_x.Y-2", true],
    ["v".repeat(128), true],
    ["v".repeat(129), false],
    ["", false],
    [".v", false],
    ["-v", false],
    ["v/1", false],
    ["v1\n", false],
  ])("of %j is %j", (text, expected) => {
    expect(isTag(text)).toBe(expected);
  });
});

test("a digest is sha256 and 64 lower case hex digits", () => {
  expect(isDigest(DIGEST)).toBe(true);
  expect(isDigest(ZERO_DIGEST)).toBe(true);
  expect(isDigest(DIGEST.toUpperCase())).toBe(false);
  expect(isDigest("a".repeat(64))).toBe(false);
});

test("a pinned image names repository and digest", () => {
  expect(pinned("registry.example/a", DIGEST)).toBe(`registry.example/a@${DIGEST}`);
});

test.each([
  ["a", "a"],
  ["a:v1", "a"],
  ["localhost:5000/a", "localhost:5000/a"],
  ["localhost:5000/a:v1", "localhost:5000/a"],
  [`localhost:5000/a:v1@${DIGEST}`, "localhost:5000/a"],
])("the repository of %s is %s", (image, repository) => {
  expect(repositoryOf(image)).toBe(repository);
});
