import { parse } from "yaml";
import { describe, expect, test } from "vitest";
import { crdFiles } from "./crd.ts";

describe("crdFiles", () => {
  test("has a file of each kind", () => {
    expect([...crdFiles().keys()]).toEqual([
      "model.kubedl.io_models.yaml",
      "model.kubedl.io_modelversions.yaml",
      "model.kubedl.io_modelbindings.yaml",
    ]);
  });

  test.each([...crdFiles()])("%s means the same in YAML 1.1, which Kubernetes reads", (_, text) => {
    expect(parse(text, { version: "1.1" })).toEqual(parse(text));
  });
});
