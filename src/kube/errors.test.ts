import { describe, expect, test } from "vitest";
import {
  ConnectionError,
  isAlreadyExists,
  isConflict,
  isForbidden,
  isGone,
  isInvalid,
  isNotFound,
  isTooManyRequests,
  isTransient,
  statusError,
} from "./errors.ts";

const predicates = {
  isNotFound,
  isConflict,
  isAlreadyExists,
  isGone,
  isForbidden,
  isInvalid,
  isTooManyRequests,
  isTransient,
};

describe("a failure belongs to these classes", () => {
  test.each<{ status: number; reason: string; classes: (keyof typeof predicates)[] }>([
    { status: 400, reason: "BadRequest", classes: [] },
    { status: 401, reason: "Unauthorized", classes: [] },
    { status: 403, reason: "Forbidden", classes: ["isForbidden"] },
    { status: 404, reason: "NotFound", classes: ["isNotFound"] },
    { status: 409, reason: "Conflict", classes: ["isConflict"] },
    { status: 409, reason: "AlreadyExists", classes: ["isAlreadyExists"] },
    { status: 410, reason: "Expired", classes: ["isGone"] },
    { status: 410, reason: "Gone", classes: ["isGone"] },
    { status: 422, reason: "Invalid", classes: ["isInvalid"] },
    { status: 429, reason: "TooManyRequests", classes: ["isTooManyRequests", "isTransient"] },
    { status: 500, reason: "InternalError", classes: ["isTransient"] },
    { status: 502, reason: "", classes: ["isTransient"] },
    { status: 503, reason: "ServiceUnavailable", classes: ["isTransient"] },
    { status: 504, reason: "Timeout", classes: ["isTransient"] },
  ])("$status $reason: $classes", ({ status, reason, classes }) => {
    const error = statusError({ kind: "Status", code: status, reason }, REQUEST);

    expect(classesOf(error)).toEqual(classes);
  });

  test.each<{ failure: unknown; classes: (keyof typeof predicates)[] }>([
    { failure: new ConnectionError("GET /", "connection reset"), classes: ["isTransient"] },
    { failure: new Error("404 NotFound"), classes: [] },
    { failure: undefined, classes: [] },
  ])("$failure: $classes", ({ failure, classes }) => {
    expect(classesOf(failure)).toEqual(classes);
  });
});

describe("an error says what the Status says", () => {
  test.each<{ what: string; status: unknown; expected: object }>([
    {
      what: "all of it",
      status: {
        code: 422,
        reason: "Invalid",
        message: "spec.x: Required value",
        details: { name: "a", causes: [{ field: "spec.x" }] },
      },
      expected: {
        status: 422,
        reason: "Invalid",
        message: "spec.x: Required value",
        details: { name: "a", causes: [{ field: "spec.x" }] },
        request: "GET /x",
      },
    },
    {
      what: "no code: that of the answer",
      status: { message: "no" },
      expected: { status: 500, message: "no", reason: "", details: {} },
    },
    {
      what: "no message: which request was answered how",
      status: { code: 503 },
      expected: { status: 503, message: "GET /x was answered with status 503" },
    },
    { what: "nothing at all", status: null, expected: { status: 500, reason: "" } },
    { what: "a list", status: [1], expected: { status: 500, details: {} } },
    {
      what: "how long to wait",
      status: { details: { retryAfterSeconds: 3 } },
      expected: { retryAfterMs: 3_000 },
    },
  ])("$what", ({ status, expected }) => {
    expect(statusError(status, REQUEST)).toMatchObject(expected);
  });

  test("the header that says how long to wait goes before the details", () => {
    const status = { details: { retryAfterSeconds: 3 } };

    expect(statusError(status, { ...REQUEST, retryAfterMs: 7 }).retryAfterMs).toBe(7);
  });
});

const REQUEST = { status: 500, request: "GET /x" };

function classesOf(error: unknown): string[] {
  return Object.entries(predicates).flatMap(([name, holds]) => (holds(error) ? [name] : []));
}
