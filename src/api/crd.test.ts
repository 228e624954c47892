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

/** One node of a structural schema, as far as it is looked at here. */
interface Node {
  readonly type?: string;
  readonly description?: string;
  readonly enum?: readonly string[];
  readonly maxLength?: number;
  readonly maxItems?: number;
  readonly maxProperties?: number;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly items?: Node;
  readonly additionalProperties?: Node;
}

/** Every node below `spec` and `status`, by its path. */
function nodesOf(text: string): readonly (readonly [path: string, node: Node])[] {
  const definition = parse(text) as {
    spec: { versions: { schema: { openAPIV3Schema: Node } }[] };
  };
  const root = definition.spec.versions[0]?.schema.openAPIV3Schema.properties ?? {};
  return ["spec", "status"].flatMap((part) => walk(part, root[part] ?? {}));
}

function walk(path: string, node: Node): readonly (readonly [string, Node])[] {
  const { properties = {}, items, additionalProperties } = node;
  return [
    [path, node] as const,
    ...Object.entries(properties).flatMap(([name, each]) => walk(`${path}.${name}`, each)),
    ...(items === undefined ? [] : walk(`${path}[]`, items)),
    ...(additionalProperties === undefined ? [] : walk(`${path}.*`, additionalProperties)),
  ];
}

describe.each([...crdFiles()])("%s", (_, text) => {
  const nodes = nodesOf(text);

  test("describes every field in a sentence", () => {
    const bare = nodes.filter(([, { description = "" }]) => !/^\S.*\.$/s.test(description));
    expect(bare.map(([path]) => path)).toEqual([]);
  });

  test("bounds every text, list and map, so that rules over them stay cheap", () => {
    expect(nodes.filter(([, node]) => !isBounded(node)).map(([path]) => path)).toEqual([]);
  });
});

function isBounded({ type, ...node }: Node): boolean {
  return (
    (type !== "string" || node.maxLength !== undefined || node.enum !== undefined) &&
    (type !== "array" || node.maxItems !== undefined) &&
    (node.additionalProperties === undefined || node.maxProperties !== undefined)
  );
}
