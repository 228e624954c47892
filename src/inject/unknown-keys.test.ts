import { describe, expect, test } from "vitest";
import { ANNOTATIONS, PREFIX, VERSION_ANNOTATIONS } from "../api/annotations.ts";
import { unknownKeysOf } from "./unknown-keys.ts";

const KNOWN =
  "model.kubedl.io/model-version, model.kubedl.io/model, model.kubedl.io/alias, model.kubedl.io/models, model.kubedl.io/mount-path, model.kubedl.io/delivery, model.kubedl.io/containers, model.kubedl.io/loader-resources, model.kubedl.io/export, model.kubedl.io/inject";

function warned(key: string) {
  const message = `annotation ${key} is unknown and has no effect; known: ${KNOWN}`;
  return { misspelt: [], warnings: [{ reason: "UnknownAnnotation", message }] };
}

test("a known key is never a typo of another", () => {
  const keys = Object.values(ANNOTATIONS).filter((key) => key !== ANNOTATIONS.status);
  expect(unknownKeysOf(keys)).toEqual({ misspelt: [], warnings: [] });
});

describe("a key is nearly a known one", () => {
  test.each([
    ["model-versoin", "model-version"],
    ["model_version", "model-version"],
    ["modelVersion", "model-version"],
    ["MODEL", "model"],
    ["modle", "model"],
    ["Models", "models"],
    ["modells", "models"],
    ["aliases", "alias"],
    ["mountpath", "mount-path"],
    ["mountPath", "mount-path"],
    ["delivry", "delivery"],
    ["container", "containers"],
    ["loader-resource", "loader-resources"],
    ["exports", "export"],
    ["Inject", "inject"],
  ])("%s, of %s", (name, meant) => {
    const key = PREFIX + name;
    expect(unknownKeysOf([key])).toEqual({
      misspelt: [{ key, meant: PREFIX + meant }],
      warnings: [],
    });
  });
});

describe("a key that is like none is warned of", () => {
  test.each(["prefetch", "", "model-version-of", "mode/l/x", "constructor", "__proto__"])(
    "%j",
    (name) => {
      expect(unknownKeysOf([PREFIX + name])).toEqual(warned(PREFIX + name));
    },
  );

  test.each(Object.values(VERSION_ANNOTATIONS))("%s, which is one of versions", (key) => {
    expect(unknownKeysOf([key])).toEqual(warned(key));
  });
});

test("all keys are looked at", () => {
  const keys = ["modle", "prefetch", "aliass", "colour"].map((name) => PREFIX + name);
  const { misspelt, warnings } = unknownKeysOf(keys);
  expect(misspelt.map(({ meant }) => meant)).toEqual([`${PREFIX}model`, `${PREFIX}alias`]);
  expect(warnings).toHaveLength(2);
});

test("of more unknown keys than anybody reads, the first are looked at", () => {
  const keys = Array.from({ length: 1000 }, (_, index) => `${PREFIX}prefetch-${index}`);
  expect(unknownKeysOf([...keys, `${PREFIX}modle`])).toMatchObject({
    misspelt: [],
    warnings: { length: 100 },
  });
  expect(unknownKeysOf([`${PREFIX}modle`, ...keys]).misspelt).toHaveLength(1);
});
