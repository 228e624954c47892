import { z } from "zod";
import { isFields, own } from "./fields.ts";
import { editsFor, nearest } from "./nearest.ts";
import type { Cause, CauseType } from "./review.ts";
import type { Rule } from "./rules.ts";

/** What is wrong with a part of a value: where (dotted path, empty for the value itself), and what would be right. */
export interface SchemaFault {
  readonly field: string;
  readonly message: string;
  readonly type: CauseType;
  /** The rule of the table that is broken: the one that the schema names (`params.rule` of a refinement), or `Schema`. */
  readonly rule: Rule;
  /** The known key that an unknown one is nearly. */
  readonly meant?: string;
}

/** Edits within which another text is suggested for a wrong one. */
const SUGGEST_DISTANCE = 2;

const REQUIRED = "is required";

/** Longest text of a user that a message repeats. */
const MAX_SHOWN = 100;

const TYPES: Readonly<Record<string, string>> = {
  array: "a list",
  boolean: "true or false",
  int: "a whole number",
  number: "a number",
  object: "an object",
  record: "an object",
  string: "a string",
};

/** Every fault of a value that should fit the schema; keys that the schema does not name are none. */
export function schemaFaults(schema: z.ZodType, value: unknown): readonly SchemaFault[] {
  const result = schema.safeParse(value, { error: describe });
  return (result.error?.issues ?? []).map((issue) => ({
    field: fieldOf(issue.path),
    message: issue.message,
    type: typeOf(issue.code, issue.message),
    rule: ruleOf(issue),
  }));
}

/** The fault of a whole text, such as one that can not be parsed. */
export function textFault(message: string): SchemaFault {
  return { field: "", message, type: "FieldValueInvalid", rule: "Schema" };
}

/** The same as causes of a denial; `path` is the JSON path of the value. */
export function schemaCauses(schema: z.ZodType, value: unknown, path: string): readonly Cause[] {
  return schemaFaults(schema, value).map(({ field, message, type, rule }) => ({
    rule,
    field: field === "" ? path : `${path}.${field}`,
    message,
    type,
  }));
}

/** The rule that the refinement of a schema names; `Schema` where none does. */
function ruleOf(issue: z.core.$ZodIssue): Rule {
  const named = issue.code === "custom" ? (issue.params?.["rule"] as Rule | undefined) : undefined;
  return named ?? "Schema";
}

/** A path as Kubernetes writes it: `list[0].name`. */
function fieldOf(path: readonly PropertyKey[]): string {
  return path
    .map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part)}`))
    .join("")
    .replace(/^\./, "");
}

function typeOf(code: string, message: string): CauseType {
  if (message === REQUIRED) return "FieldValueRequired";
  return code === "invalid_value" ? "FieldValueNotSupported" : "FieldValueInvalid";
}

/** Every key of a value, at any depth, that the schema does not name: for text that no API server checks. */
export function unknownKeys(schema: z.ZodType, value: unknown, path = ""): readonly SchemaFault[] {
  const inner = optionFor(withoutDefault(schema), value);
  if (inner instanceof z.ZodArray && Array.isArray(value)) {
    const element = inner.element as z.ZodType;
    return value.flatMap((item, index) => unknownKeys(element, item, `${path}[${index}]`));
  }
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  if (!isObject || !(inner instanceof z.ZodObject)) return [];
  const shape: Readonly<Record<string, z.ZodType>> = inner.shape;
  return Object.entries(value).flatMap(([key, item]) => {
    const field = path === "" ? key : `${path}.${key}`;
    const known = own(shape, key);
    if (known !== undefined) return unknownKeys(known, item, field);
    const names = Object.keys(shape);
    const meant = nearestTo(key, names);
    const message = `is unknown; allowed: ${names.join(", ")}${suggestion(meant)}`;
    const fault = { field, message, type: "FieldValueNotSupported", rule: "Schema" } as const;
    return [meant === undefined ? fault : { ...fault, meant }];
  });
}

function withoutDefault(schema: z.ZodType): z.ZodType {
  return schema instanceof z.ZodOptional ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodDefault
    ? withoutDefault(schema.unwrap() as z.ZodType)
    : schema;
}

/** Of several shapes of which a field tells which one is meant, that one. */
function optionFor(schema: z.ZodType, value: unknown): z.ZodType {
  if (!(schema instanceof z.ZodDiscriminatedUnion)) return schema;
  const { discriminator, options } = schema.def;
  const tag = fieldOfInput(value, discriminator);
  const option = options.find(
    (each) => each instanceof z.ZodObject && each.shape[discriminator]?.safeParse(tag).success,
  );
  return (option as z.ZodType | undefined) ?? schema;
}

function fieldOfInput(input: unknown, key: string): unknown {
  return isFields(input) ? own(input, key) : undefined;
}

/** A value of a user as a message shows it: short, and what lists and objects hold left out. */
export function show(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object" && value !== null) return "an object";
  if (typeof value !== "string") return String(value);
  return JSON.stringify(value.length > MAX_SHOWN ? `${value.slice(0, MAX_SHOWN)}…` : value);
}

/** The allowed text that a wrong one is nearest to; undefined when none is near. */
function nearestTo(given: unknown, allowed: readonly string[]): string | undefined {
  if (typeof given !== "string") return undefined;
  return nearest(given, allowed, editsFor(given, SUGGEST_DISTANCE));
}

/** The end of a message that names it. */
function suggestion(meant: string | undefined): string {
  return meant === undefined ? "" : `; did you mean ${meant}?`;
}

function notAllowed(input: unknown, allowed: readonly unknown[]): string {
  const texts = allowed.map(String);
  return `${show(input)} is not allowed; allowed: ${texts.join(", ")}${suggestion(nearestTo(input, texts))}`;
}

function describe(issue: z.core.$ZodRawIssue): string | undefined {
  const { input } = issue;
  switch (issue.code) {
    case "invalid_type":
      return input === undefined
        ? REQUIRED
        : `${show(input)} must be ${TYPES[issue.expected] ?? issue.expected}`;
    case "invalid_value":
      return notAllowed(input, issue.values);
    case "too_small":
      return input === "" || (Array.isArray(input) && input.length === 0)
        ? "must not be empty"
        : `${show(input)} must be at least ${issue.minimum}`;
    case "too_big":
      if (typeof input === "string") {
        return `has ${input.length} characters; at most ${issue.maximum} are allowed`;
      }
      return Array.isArray(input)
        ? `has ${input.length} entries; at most ${issue.maximum} are allowed`
        : `${show(input)} must be at most ${issue.maximum}`;
    case "invalid_key":
      return issue.issues.map(({ message }) => message).join("; ");
    case "invalid_union": {
      const { discriminator, options } = issue;
      if (discriminator === undefined) return undefined;
      const tag = fieldOfInput(input, discriminator);
      return tag === undefined ? REQUIRED : notAllowed(tag, options as readonly unknown[]);
    }
    case "custom":
    case "invalid_element":
    case "invalid_format":
    case "not_multiple_of":
    case "unrecognized_keys":
      return undefined;
  }
}
