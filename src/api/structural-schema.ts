import { z } from "zod";

/** Words of JSON Schema that a structural schema may not hold outside of its core; alternatives are optional fields and CEL. */
const NOT_STRUCTURAL = ["oneOf", "anyOf", "allOf", "not", "$ref", "prefixItems"] as const;

/** What Kubernetes calls a field that is a text or a whole number. */
const INT_OR_STRING = "x-kubernetes-int-or-string";

/** Longest text of such a field; longer than any quantity. */
const MAX_INT_OR_STRING = 63;

/** The structural schema (OpenAPI v3, apiextensions.k8s.io) of a zod schema. */
export function structuralSchema(schema: z.ZodType): object {
  const json = z.toJSONSchema(schema, {
    target: "openapi-3.0",
    io: "input",
    reused: "inline",
    cycles: "throw",
    override({ jsonSchema, path }) {
      const node = jsonSchema as Record<string, unknown>;
      // A schema that is derived from another takes over what was made of that.
      if (isIntOrString(node) || node[INT_OR_STRING] === true) {
        delete node["anyOf"];
        node[INT_OR_STRING] = true;
        node["maxLength"] = MAX_INT_OR_STRING;
        return;
      }
      for (const word of NOT_STRUCTURAL) {
        if (word in node) throw new Error(`${path.join(".")}: ${word} is not structural`);
      }
      if (node["type"] === undefined && node["x-kubernetes-preserve-unknown-fields"] !== true) {
        throw new Error(`${path.join(".")}: a structural schema types every node`);
      }
      if (node["maximum"] === Number.MAX_SAFE_INTEGER) delete node["maximum"];
      if (node["minimum"] === Number.MIN_SAFE_INTEGER) delete node["minimum"];
      // The key schema of a record has no place in a structural schema.
      delete node["propertyNames"];
    },
  });
  delete (json as Record<string, unknown>)["$schema"];
  return json;
}

/** True for a union of texts and numbers, the one kind of alternative that a structural schema has a word for. */
function isIntOrString({ anyOf }: Readonly<Record<string, unknown>>): boolean {
  const types = Array.isArray(anyOf) ? anyOf.map(({ type }: { type?: unknown }) => type) : [];
  return types.join() === "string,number";
}
