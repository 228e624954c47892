import { expect, test } from "vitest";
import { allow, deny, patch } from "./decision.ts";

test("an allowed object keeps what it is, or is patched", () => {
  const operations = [{ op: "remove", path: "/a" }] as const;
  expect(allow("Valid")).toEqual({ allowed: true, reason: "Valid", operations: [], warnings: [] });
  const warnings = [{ reason: "ModelNotBuilt", message: "careful" }] as const;
  expect(patch("Defaulted", operations, warnings)).toEqual({
    allowed: true,
    reason: "Defaulted",
    operations,
    warnings,
  });
});

test("a denial says every fault with its field, in one text", () => {
  const causes = [
    { field: "spec.a", message: "is required" },
    { field: "spec.b", message: "must not be empty" },
  ];
  expect(deny("InvalidObject", causes)).toEqual({
    allowed: false,
    reason: "InvalidObject",
    message: "spec.a: is required; spec.b: must not be empty",
    causes,
    warnings: [],
  });
});

test("a denial of more faults than anybody reads says how many more there are", () => {
  const causes = Array.from({ length: 250 }, (_, index) => ({
    field: `spec.list[${index}]`,
    message: "is required",
  }));
  const denied = deny("InvalidObject", causes);
  expect(denied).toMatchObject({ causes: causes.slice(0, 100) });
  expect(denied).toMatchObject({
    message: expect.stringMatching(
      /spec\.list\[99\]: is required; and 150 more faults$/,
    ) as unknown,
  });
});
