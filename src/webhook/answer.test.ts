import { describe, expect, test } from "vitest";
import { allow, deny, patch } from "../admission/decision.ts";
import type { AdmissionRequest, Cause, CauseType, PatchOperation } from "../api/review.ts";
import { answerAnyway, answerDecision, answerFault } from "./answer.ts";

const pod: AdmissionRequest = {
  uid: "u-1",
  kind: { group: "", version: "v1", kind: "Pod" },
  operation: "CREATE",
  userInfo: {},
  object: { metadata: { generateName: "web-" } },
};
const version: AdmissionRequest = {
  ...pod,
  kind: { group: "model.kubedl.io", version: "v1alpha1", kind: "ModelVersion" },
  name: "digits-1",
  object: {},
};
const operations: readonly PatchOperation[] = [{ op: "add", path: "/spec/x", value: "ü" }];
const causes = [
  { field: "spec.storage", message: "has no storage" },
  { field: "spec.imageRepo", message: "has a tag" },
];

test("the answer is a review of the same version with the request's uid", () => {
  expect(answerDecision(pod, allow("NothingAsked"), "mutate")).toEqual({
    apiVersion: "admission.k8s.io/v1",
    kind: "AdmissionReview",
    response: { uid: "u-1", allowed: true, auditAnnotations: { reason: "NothingAsked" } },
  });
});

describe("a patch", () => {
  test("is base64 of JSON Patch", () => {
    const { response } = answerDecision(pod, patch("Injected", operations), "mutate");
    expect(response.patchType).toBe("JSONPatch");
    expect(JSON.parse(Buffer.from(response.patch ?? "", "base64").toString())).toEqual(operations);
  });

  test.each([
    ["when nothing changes", patch("Injected", []), "mutate"],
    ["to a validating webhook's caller", patch("Defaulted", operations), "validate"],
    ["with a denial", deny("InvalidObject", causes), "mutate"],
  ] as const)("is never sent %s", (_name, decision, endpoint) => {
    const { response } = answerDecision(pod, decision, endpoint);
    expect(response).not.toHaveProperty("patch");
    expect(response).not.toHaveProperty("patchType");
  });
});

describe("a denial", () => {
  const message = "spec.storage: has no storage; spec.imageRepo: has a tag";

  test("of one of our kinds is 422 Invalid with object and causes", () => {
    const { response } = answerDecision(version, deny("InvalidObject", causes), "validate");
    expect(response).toMatchObject({
      allowed: false,
      auditAnnotations: { reason: "InvalidObject" },
    });
    expect(response.status).toEqual({
      code: 422,
      reason: "Invalid",
      message,
      details: {
        name: "digits-1",
        group: "model.kubedl.io",
        kind: "ModelVersion",
        causes: causes.map((cause) => ({ reason: "FieldValueInvalid", ...cause })),
      },
    });
  });

  test.each<[what: string, cause: Omit<Cause, "field" | "message">, reason: CauseType]>([
    ["its own", { type: "FieldValueRequired" }, "FieldValueRequired"],
    ["that of its rule", { rule: "LocalPathAllowed" }, "FieldValueForbidden"],
    ["invalid where its rule has none", { rule: "LocalPath" }, "FieldValueInvalid"],
    [
      "its own before that of its rule",
      { rule: "Schema", type: "FieldValueNotSupported" },
      "FieldValueNotSupported",
    ],
  ])("gives a cause the type %s, and keeps its rule to itself", (_, cause, reason) => {
    const given = { field: "spec.a", message: "is wrong" };
    const denied = deny("InvalidObject", [{ ...given, ...cause }]);
    const { response } = answerDecision(version, denied, "validate");
    expect(response.status?.details?.causes).toEqual([{ reason, ...given }]);
  });

  test("of another kind is 403 Forbidden, which names the webhook", () => {
    const { response } = answerDecision(pod, deny("InvalidAnnotation", causes), "mutate");
    expect(response.status).toMatchObject({
      code: 403,
      reason: "Forbidden",
      message,
      details: { name: "web-", kind: "Pod", causes },
    });
  });

  test("without fields is 403 for our kinds too, because Invalid without causes would not be shown", () => {
    const decision = { ...deny("InvalidObject", []), message: "not here" };
    const { response } = answerDecision(version, decision, "mutate");
    expect(response.status).toMatchObject({ code: 403, message: "not here" });
  });

  test("for a fault of ours is 500", () => {
    const { response } = answerDecision(pod, deny("InternalError", causes), "mutate");
    expect(response.status).toMatchObject({ code: 500, reason: "InternalError" });
  });
});

describe("warnings fit what the API server passes on", () => {
  test.each([
    ["a short one as it is", ["a warning"], ["a warning"]],
    ["control characters as blanks", ["one\r\n\ttwo\u0000"], ["one two "]],
    ["a long one cut", ["x".repeat(300)], [`${"x".repeat(255)}…`]],
    ["characters counted, not code units", ["🦙".repeat(256)], ["🦙".repeat(256)]],
    ["never half a character", ["🦙".repeat(257)], [`${"🦙".repeat(255)}…`]],
  ])("%s", (_name, texts, expected) => {
    const warnings = texts.map((message) => ({ reason: "UnknownAnnotation" as const, message }));
    const { response } = answerDecision(pod, allow("NothingAsked", warnings), "mutate");
    expect(response.warnings).toEqual(expected);
  });

  test("at most 16, the last one says how many are missing", () => {
    const warnings = Array.from({ length: 20 }, (_, index) => ({
      reason: "UnknownAnnotation" as const,
      message: `warning ${index}`,
    }));
    const { response } = answerDecision(pod, deny("InvalidObject", [], warnings), "mutate");
    expect(response.warnings).toHaveLength(16);
    expect(response.warnings?.at(-1)).toBe("and 5 more warnings");
  });
});

test("a fault is a denial with the request's uid", () => {
  expect(answerFault("u-1", 400, "no kind").response).toEqual({
    uid: "u-1",
    allowed: false,
    status: { code: 400, reason: "BadRequest", message: "no kind" },
  });
  expect(answerFault("u-1", 500, "failed").response.status?.reason).toBe("InternalError");
});

test("what may pass although it could not be decided on is let through with a warning", () => {
  expect(answerAnyway("u-1", "modelhook could not decide").response).toEqual({
    uid: "u-1",
    allowed: true,
    warnings: ["modelhook could not decide"],
  });
});
