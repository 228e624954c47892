import { describe, expect, test } from "vitest";
import { z } from "zod";
import { structuralSchema } from "./structural-schema.ts";

describe("structuralSchema", () => {
  test("keeps descriptions, limits and rules", () => {
    const rules = [{ rule: "self != ''", message: "must not be empty" }];
    const schema = z
      .object({
        name: z.string().min(1).max(5).describe("A name."),
        size: z.int().min(0).optional(),
      })
      .meta({ "x-kubernetes-validations": rules });
    expect(structuralSchema(schema)).toEqual({
      type: "object",
      properties: {
        name: { type: "string", minLength: 1, maxLength: 5, description: "A name." },
        size: { type: "integer", minimum: 0 },
      },
      required: ["name"],
      "x-kubernetes-validations": rules,
    });
  });

  test("writes a record without a schema of its keys", () => {
    expect(structuralSchema(z.record(z.string().max(9), z.string()))).toEqual({
      type: "object",
      additionalProperties: { type: "string" },
    });
  });

  test("writes a union of texts and numbers in Kubernetes' word for it", () => {
    const schema = z.object({ a: z.union([z.string(), z.number()]).transform(String) });
    expect(structuralSchema(schema)).toMatchObject({
      properties: { a: { "x-kubernetes-int-or-string": true, maxLength: 63 } },
    });
  });

  test.each([
    ["a union", z.object({ a: z.union([z.string(), z.boolean()]) }), /properties\.a: anyOf/],
    [
      "any value",
      z.object({ a: z.unknown() }),
      /properties\.a: a structural schema types every node/,
    ],
  ])("refuses %s", (_, schema, message) => {
    expect(() => structuralSchema(schema)).toThrow(message);
  });
});
