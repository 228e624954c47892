import * as fc from "fast-check";
import { parse } from "yaml";
import { crdFiles } from "../../src/api/crd.ts";
import { BINDING_CASES } from "./bindings.ts";
import { MODEL_CASES } from "./models.ts";
import { NAMESPACE, type PolicyCase } from "./policy-case.ts";
import { VERSION_CASES } from "./versions.ts";

/** A node of a structural schema, as far as values are made from it. */
interface Node {
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly maxLength?: number;
  readonly minLength?: number;
  readonly maxItems?: number;
  readonly maximum?: number;
  readonly maxProperties?: number;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Node>>;
  readonly items?: Node;
  readonly additionalProperties?: Node;
}

/** Texts that rules look at: right for some field, nearly right for others. */
const TEXTS = [
  "digits",
  "Digits",
  "a.b",
  "a/b",
  "-a",
  "a-",
  "..",
  "/",
  "//",
  "/.",
  "/models/a",
  "/models/../a",
  "/a:b",
  "a:v1",
  "registry.test/a",
  "registry.test:5000/a/b",
  "R.test/a",
  "localhost/a",
  "a@b",
  `a@sha256:${"0".repeat(64)}`,
  "[::1]:5000/a",
  "v1",
  ".v1",
  "fs-1",
  "fs-1:/a:fsap-2",
  "fs-1:..:",
  "nfs.test",
  "nfs test",
  "100m",
  "1Gi",
  "-1",
  "1e3",
  "much",
  "",
  "app.kubernetes.io/name",
  "ß",
  "\u0000",
  "𝒳",
  "__proto__",
  "constructor",
  " ",
  "\t",
  "kaniko",
];

const text = (node: Node): fc.Arbitrary<string> =>
  fc
    .oneof(fc.constantFrom(...TEXTS), fc.string({ maxLength: 12, unit: "grapheme" }))
    .filter(
      ({ length }) => length <= (node.maxLength ?? Infinity) && length >= (node.minLength ?? 0),
    );

function valueOf(node: Node): fc.Arbitrary<unknown> {
  if (node.enum !== undefined) return fc.constantFrom(...node.enum);
  switch (node.type) {
    case "string":
      return text(node);
    case "boolean":
      return fc.boolean();
    case "integer":
      return fc.integer({ min: -1, max: Math.min(node.maximum ?? 9, 9) });
    case "array":
      return fc.array(valueOf(node.items ?? {}), { maxLength: Math.min(node.maxItems ?? 3, 3) });
    case "object":
      return objectOf(node);
    case undefined:
    default:
      // A text or a whole number.
      return fc.oneof(
        fc.integer({ min: -1, max: 9 }),
        fc.constantFrom("100m", "1Gi", "much", "-1"),
      );
  }
}

function objectOf({
  properties = {},
  required = [],
  additionalProperties,
}: Node): fc.Arbitrary<object> {
  if (additionalProperties !== undefined) {
    const key = fc.constantFrom("cpu", "memory", "app", "a/b", "Prod", "prod", "encryptInTransit");
    return fc.dictionary(key, valueOf(additionalProperties), { maxKeys: 3, noNullPrototype: true });
  }
  const values = Object.fromEntries(
    Object.entries(properties).map(([name, node]) => [name, valueOf(node)]),
  );
  return fc.record(values, { requiredKeys: [...required], noNullPrototype: true });
}

/** Every field of a schema that has a name, by its path. */
function fieldsOf(node: Node, path: readonly string[] = []): readonly Field[] {
  return Object.entries(node.properties ?? {}).flatMap(([name, each]) => {
    const below = path.concat(name);
    return [{ path: below, node: each } as Field].concat(fieldsOf(each, below));
  });
}

interface Field {
  readonly path: readonly string[];
  readonly node: Node;
}

/** A right spec of which a few fields are something else: what is only just wrong, and what is right otherwise. */
function nearlyRight(schema: Node, right: readonly object[]): fc.Arbitrary<object> {
  const change = fc
    .constantFrom(...fieldsOf(schema))
    .chain(({ path, node }) => valueOf(node).map((value) => ({ path, value })));
  return fc
    .tuple(fc.constantFrom(...right), fc.array(change, { maxLength: 2 }))
    .map(([spec, changes]) =>
      changes.reduce<object>((made, { path, value }) => withField(made, path, value), spec),
    );
}

/** The object with a field set; one whose parent is not there stays as it is. */
function withField(
  object: object,
  [name = "", ...rest]: readonly string[],
  value: unknown,
): object {
  if (rest.length === 0) return { ...object, [name]: value };
  const child = (object as Readonly<Record<string, unknown>>)[name];
  if (typeof child !== "object" || child === null) return object;
  return { ...object, [name]: withField(child, rest, value) };
}

/** Objects of a kind, such as `modelversions`, that fit its schema; of its CEL rules they may break any. `right` keeps them all. */
function arbitraryObject(plural: string, right: readonly object[]): fc.Arbitrary<ArbitraryObject> {
  const file = parse(crdFiles().get(`model.kubedl.io_${plural}.yaml`) ?? "") as {
    spec: {
      names: { kind: string };
      versions: { schema: { openAPIV3Schema: { properties: { spec: Node } } } }[];
    };
  };
  const { kind } = file.spec.names;
  const schema = file.spec.versions[0]?.schema.openAPIV3Schema.properties.spec ?? {};
  const spec = fc.oneof(
    { weight: 1, arbitrary: objectOf(schema) },
    { weight: 5, arbitrary: nearlyRight(schema, right) },
  );
  return spec.map((made) => ({
    apiVersion: "model.kubedl.io/v1alpha1",
    kind,
    metadata: { name: "made", namespace: NAMESPACE },
    spec: made,
  }));
}

/** An object of one of our kinds. */
interface ArbitraryObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec: object;
}

/** The right specs of the cases of a kind. */
function rightSpecs(cases: readonly PolicyCase[]): readonly object[] {
  return cases
    .filter(({ fault, limits }) => fault === undefined && limits === undefined)
    .map(({ manifest }) => manifest.spec as object);
}

/** Objects of each of our kinds, by its plural. */
export const ARBITRARY_OBJECTS = {
  modelversions: arbitraryObject("modelversions", rightSpecs(VERSION_CASES)),
  models: arbitraryObject("models", rightSpecs(MODEL_CASES)),
  modelbindings: arbitraryObject("modelbindings", rightSpecs(BINDING_CASES)),
} as const;
