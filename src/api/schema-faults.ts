import { z } from "zod";

/** What is wrong with a part of a value: where (dotted path, empty for the value itself), and what would be right. */
export interface SchemaFault {
  readonly field: string;
  readonly message: string;
}

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
  return (result.error?.issues ?? []).map(({ path, message }) => ({
    field: path.join("."),
    message,
  }));
}

/** Every key of a value, at any depth, that the schema does not name: for text that no API server checks. `say` words one. */
export function unknownKeys(
  schema: z.ZodType,
  value: unknown,
  say: (key: string, allowed: readonly string[]) => string = unknown,
  path = "",
): readonly SchemaFault[] {
  const inner = withoutDefault(schema);
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  if (!isObject || !(inner instanceof z.ZodObject)) return [];
  const shape: Readonly<Record<string, z.ZodType>> = inner.shape;
  return Object.entries(value).flatMap(([key, item]) => {
    const field = path === "" ? key : `${path}.${key}`;
    const known = Object.hasOwn(shape, key) ? shape[key] : undefined;
    if (known !== undefined) return unknownKeys(known, item, say, field);
    return [{ field, message: say(key, Object.keys(shape)) }];
  });
}

function unknown(_: string, allowed: readonly string[]): string {
  return `is unknown; allowed: ${allowed.join(", ")}`;
}

function withoutDefault(schema: z.ZodType): z.ZodType {
  return schema instanceof z.ZodOptional || schema instanceof z.ZodPrefault
    ? withoutDefault(schema.unwrap() as z.ZodType)
    : schema;
}

/** A value of a user as a message shows it: short, and what lists and objects hold left out. */
export function show(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object" && value !== null) return "an object";
  if (typeof value !== "string") return String(value);
  return JSON.stringify(value.length > MAX_SHOWN ? `${value.slice(0, MAX_SHOWN)}…` : value);
}

function describe(issue: z.core.$ZodRawIssue): string | undefined {
  const { input } = issue;
  switch (issue.code) {
    case "invalid_type":
      return input === undefined
        ? "is required"
        : `${show(input)} must be ${TYPES[issue.expected] ?? issue.expected}`;
    case "invalid_value":
      return `${show(input)} is not allowed; allowed: ${issue.values.join(", ")}`;
    case "too_small":
      return input === ""
        ? "must not be empty"
        : `${show(input)} must be at least ${issue.minimum}`;
    case "too_big":
      return typeof input === "string"
        ? `has ${input.length} characters; at most ${issue.maximum} are allowed`
        : `${show(input)} must be at most ${issue.maximum}`;
    case "invalid_key":
      return issue.issues.map(({ message }) => message).join("; ");
    case "custom":
    case "invalid_element":
    case "invalid_format":
    case "invalid_union":
    case "not_multiple_of":
    case "unrecognized_keys":
      return undefined;
  }
}
