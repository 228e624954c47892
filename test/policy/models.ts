import type { Rule } from "../../src/api/rules.ts";
import { NAMESPACE, policyCase, type Manifest, type PolicyCase } from "./policy-case.ts";

/** A Model with this spec. */
function modelManifest(spec: unknown): Manifest {
  return {
    apiVersion: "model.kubedl.io/v1alpha1",
    kind: "Model",
    metadata: { name: "letters", namespace: NAMESPACE },
    spec,
  };
}

type Row = readonly [
  rule: Rule,
  has: string,
  spec: unknown,
  fault?: string | undefined,
  bare?: string | undefined,
];

const NOT_ALIAS =
  'is no name of an alias: lower case letters, digits and "-", beginning and ending with a letter or digit';
const NOT_VERSION =
  'is no name of a ModelVersion: lower case letters, digits, "-" and ".", such as digits-3f2a1';
const bareAlias = (name: string): string =>
  `spec.aliases: Invalid value: the name of an alias must be a DNS label, found ["${name}"]`;

const many = (count: number): object =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`a${index}`, "digits-v1"]));

const ROWS: readonly Row[] = [
  ["Schema", "a description", { description: "reads digits" }],
  ["Schema", "an empty spec", {}],
  [
    "Schema",
    "a number as its description",
    { description: 7 },
    "spec.description: 7 must be a string",
    'spec.description: Invalid value: "integer": spec.description in body must be of type string: "integer"',
  ],
  [
    "Schema",
    "a list of aliases",
    { aliases: ["prod"] },
    "spec.aliases: a list must be an object",
    'spec.aliases: Invalid value: "array": spec.aliases in body must be of type object: "array"',
  ],
  [
    "Schema",
    "65 aliases",
    { aliases: many(65) },
    "spec.aliases: has 65 entries; at most 64 are allowed",
    "spec.aliases: Too many: 65: must have at most 64 items",
  ],
  ["AliasName", "aliases", { aliases: { prod: "digits-v1", canary: "digits.v2" } }],
  ["AliasName", "64 aliases", { aliases: many(64) }],
  [
    "AliasName",
    "an alias with capitals",
    { aliases: { Prod: "digits-v1" } },
    `spec.aliases[Prod]: "Prod" ${NOT_ALIAS}`,
    bareAlias("Prod"),
  ],
  [
    "AliasName",
    "an alias with a dot",
    { aliases: { "v1.2": "digits-v1" } },
    `spec.aliases[v1.2]: "v1.2" ${NOT_ALIAS}`,
    bareAlias("v1.2"),
  ],
  [
    "AliasName",
    "an alias of a version with capitals",
    { aliases: { prod: "Digits" } },
    `spec.aliases[prod]: "Digits" ${NOT_VERSION}`,
    `spec.aliases[prod]: Invalid value: "Digits": ${NOT_VERSION}`,
  ],
  ["KeepLast", "one version to keep", { retention: { keepLast: 1 } }],
  ["KeepLast", "a retention that keeps all", { retention: {} }],
  [
    "KeepLast",
    "no version to keep",
    { retention: { keepLast: 0 } },
    "spec.retention.keepLast: 0 must be at least 1",
    "spec.retention.keepLast: Invalid value: 0: must be at least 1",
  ],
  [
    "Schema",
    "half a version to keep",
    { retention: { keepLast: 1.5 } },
    "spec.retention.keepLast: 1.5 must be a whole number",
    'spec.retention.keepLast: Invalid value: "number": spec.retention.keepLast in body must be of type integer: "number"',
  ],
];

/** Cases of Models. */
export const MODEL_CASES: readonly PolicyCase[] = ROWS.map(([rule, has, spec, fault, bare]) =>
  policyCase(modelManifest(spec), { rule, has, fault, bare }),
);
