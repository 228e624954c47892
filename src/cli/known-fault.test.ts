import { describe, expect, test } from "vitest";
import { makeModel } from "../../test/make/model.ts";
import { makeBinding } from "../../test/make/modelbinding.ts";
import { makeBuiltVersion } from "../../test/make/modelversion.ts";
import { makeNode } from "../../test/make/node.ts";
import { makeEnabledNamespace } from "../../test/make/world.ts";
import { knownFaultLines } from "./known-fault.ts";
import { parseYamlFile } from "./yaml-file.ts";

/** The faults of a file that holds the object. */
function faults(object: unknown): readonly string[] {
  const text = JSON.stringify(object);
  const parsed = parseYamlFile(text, "x.yaml");
  if (!parsed.ok) throw new Error(text);
  return knownFaultLines({ name: "x.yaml", text, documents: parsed.documents });
}

describe("nothing is wrong with", () => {
  test.each<[string, unknown]>([
    ["a version", makeBuiltVersion()],
    ["a version that KubeDL stored without a storage", { ...makeBuiltVersion(), spec: {} }],
    ["a version without a status", { ...makeBuiltVersion(), status: null }],
    ["a Model", makeModel()],
    ["a binding", makeBinding()],
    ["a node", makeNode()],
    ["a namespace", makeEnabledNamespace()],
    ["an object that no decision looks at", { apiVersion: "v1", kind: "Service", spec: 5 }],
  ])("%s", (_what, object) => {
    expect(faults(object)).toEqual([]);
  });
});

describe("it is said what is wrong with", () => {
  test.each<[string, unknown, string]>([
    [
      "a repository that is no text",
      { ...makeBuiltVersion(), spec: { imageRepo: 5 } },
      "ModelVersion/mnist-v1: spec.imageRepo: 5 must be a string",
    ],
    [
      "a phase that there is not",
      { ...makeBuiltVersion(), status: { imageBuildPhase: "Built" } },
      'ModelVersion/mnist-v1: status.imageBuildPhase: "Built" is not allowed; allowed: ImageBuilding, ImageBuildSucceeded, ImageBuildFailed',
    ],
    [
      "aliases in a list",
      { ...makeModel(), spec: { aliases: [] } },
      "Model/mnist: spec.aliases: a list must be an object",
    ],
    [
      "a binding without a selector",
      { ...makeBinding(), spec: {} },
      "ModelBinding/web: spec.selector: is required",
    ],
    [
      "taints that are none",
      { ...makeNode(), spec: { taints: "none" } },
      "Node/node-1: spec.taints: must be a list of objects with a key",
    ],
    [
      "an object without a name",
      { ...makeModel(), metadata: {} },
      "Model/?: metadata.name: is required",
    ],
  ])("%s", (_what, object, line) => {
    expect(faults(object)).toEqual([`x.yaml:1 ${line}`]);
  });
});
