import { describe, expect, test } from "vitest";
import { decodeReview } from "./decode.ts";

const request = {
  uid: "u-1",
  kind: { group: "", version: "v1", kind: "Pod" },
  operation: "CREATE",
  userInfo: { username: "alice" },
  namespace: "default",
  object: { metadata: { generateName: "p-" }, spec: { containers: [] } },
  oldObject: null,
};

function review(request_: unknown, apiVersion: unknown = "admission.k8s.io/v1"): Buffer {
  return Buffer.from(JSON.stringify({ apiVersion, kind: "AdmissionReview", request: request_ }));
}

test("a request is given as it came", () => {
  expect(decodeReview(review(request))).toEqual({ ok: true, request });
});

describe("what no AdmissionReview can answer has no uid", () => {
  test.each([
    ["no body", Buffer.alloc(0), "the body is not JSON"],
    ["a cut body", review(request).subarray(0, 50), "the body is not JSON"],
    ["bytes", Buffer.from([0xff, 0xfe, 0x00]), "the body is not JSON"],
    ["null", Buffer.from("null"), "the body is no JSON object"],
    ["a list", Buffer.from("[]"), "the body is no JSON object"],
    [
      "another version",
      review(request, "admission.k8s.io/v1beta1"),
      'the body is (apiVersion, kind) "admission.k8s.io/v1beta1", "AdmissionReview", expected',
    ],
    ["a version that is no text", review(request, { a: 1 }), "(apiVersion, kind) object"],
    ["another kind", Buffer.from('{"apiVersion":"v1","kind":"Pod"}'), '"v1", "Pod"'],
    ["no request", review(undefined), "the AdmissionReview has no request"],
    ["no uid", review({ ...request, uid: undefined }), "the request has no uid"],
    ["an empty uid", review({ ...request, uid: "" }), "the request has no uid"],
    [
      "a version nested deeper than the stack",
      Buffer.from(`{"apiVersion":${"[".repeat(500_000)}${"]".repeat(500_000)}}`),
      "(apiVersion, kind) object",
    ],
  ])("%s", (_name, body, fault) => {
    const decoded = decodeReview(body);
    expect(decoded).toMatchObject({ ok: false, fault: expect.stringContaining(fault) });
    expect(decoded).not.toHaveProperty("uid");
  });
});

describe("a request with a uid but a fault can be denied by it", () => {
  test.each([
    [{ kind: "Pod" }, "request.kind is not {group, version, kind}"],
    [{ kind: { group: "", version: "v1" } }, "request.kind is not {group, version, kind}"],
    [{ operation: "create" }, 'request.operation is "create", expected one of CREATE, UPDATE'],
    [{ operation: undefined }, "request.operation is undefined"],
    [{ userInfo: null }, "request.userInfo is missing"],
    [{ userInfo: { username: 7 } }, "request.userInfo.username is not a string"],
    [{ name: 1 }, "request.name is not a string"],
    [{ namespace: {} }, "request.namespace is not a string"],
    [{ object: [] }, "request.object is not an object"],
    [{ oldObject: "x" }, "request.oldObject is not an object"],
    [{ object: null }, "request.object is missing"],
    [{ object: { metadata: 7 } }, "request.object.metadata is not an object"],
  ])("%j", (change, fault) => {
    expect(decodeReview(review({ ...request, ...change }))).toMatchObject({
      ok: false,
      uid: "u-1",
      fault: expect.stringContaining(fault),
    });
  });
});
