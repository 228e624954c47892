import { describe, expect, test } from "vitest";
import { ApiError } from "../kube/errors.ts";
import type { Action } from "../reconcile/action.ts";
import { insteadOf, isRefusal, tellOwners } from "./refusal.ts";

const OBJECT = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "made", namespace: "a" } };
const OWNER = { apiVersion: "batch/v1", kind: "Job", name: "train", uid: "1" };
const REF = { ...OWNER, namespace: "a" };

function said(message: string): Action {
  return { type: "event", ref: REF, kind: "Warning", reason: "CreateRefused", message };
}

function refusal(status: number, cause?: string): ApiError {
  const details = cause === undefined ? {} : { causes: [{ reason: cause }] };
  return new ApiError({ status, reason: "", message: "exceeded quota", details, request: "POST" });
}

test.each([
  [400, true],
  [403, true],
  [422, true],
  [404, false],
  [409, false],
  [429, false],
  [500, false],
])("status %i is a refusal: %s", (status, is) => {
  expect(isRefusal(refusal(status))).toBe(is);
});

describe("what follows a refused creation", () => {
  const later: Action = { type: "requeueAfter", ms: 1 };
  const action = {
    type: "create" as const,
    object: OBJECT,
    refused: [said("is refused"), later],
    namespaceEnds: [said("goes")],
  };

  test("is what its reconciler says, with the API server's words in the events", () => {
    expect(insteadOf(action, refusal(403))).toEqual([said("is refused: exceeded quota"), later]);
  });

  test("is a status that says why, beside what else it says", () => {
    const condition = {
      status: "False" as const,
      message: "is refused",
      lastTransitionTime: "2026-11-23T09:30:00Z",
    };
    const other = { ...condition, type: "StorageReady", reason: "StorageNotBound" };
    const built = { ...condition, type: "Built", reason: "CreateRefused" };
    const status = { message: "is refused", attempts: 1, conditions: [built, other] };
    const write = { type: "status" as const, ref: REF, resourceVersion: "1", status };
    const because = "is refused: exceeded quota";
    const conditions = [{ ...built, message: because }, other];
    expect(insteadOf({ ...action, refused: [write] }, refusal(400))).toEqual([
      { ...write, status: { message: because, attempts: 1, conditions } },
    ]);
    const unrelated = { ...write, status: { ...status, conditions: [other] } };
    expect(insteadOf({ ...action, refused: [unrelated] }, refusal(400))).toEqual([unrelated]);
  });

  test("is something else where the namespace ends", () => {
    const ends = refusal(403, "NamespaceTerminating");
    expect(insteadOf(action, ends)).toEqual([said("goes: exceeded quota")]);
  });

  test("is nothing in particular where the reconciler does not say", () => {
    expect(insteadOf({ type: "create", object: OBJECT }, refusal(403))).toBeUndefined();
  });

  test("is told to every owner of the object", () => {
    const owned = { ...OBJECT, metadata: { ...OBJECT.metadata, ownerReferences: [OWNER] } };
    expect(tellOwners(owned, refusal(403))).toEqual([
      said("ConfigMap made is refused; it is tried again: exceeded quota"),
    ]);
    expect(tellOwners(OBJECT, refusal(403))).toEqual([]);
  });
});
