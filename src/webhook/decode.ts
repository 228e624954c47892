import { isFields } from "../api/fields.ts";
import type { AdmissionRequest } from "../api/review.ts";
import { shapeFault } from "./shape.ts";

/** A request to decide on, or why there is none; with the UID an AdmissionReview can still answer, without it only HTTP can. */
export type Decoded =
  | { readonly ok: true; readonly request: AdmissionRequest }
  | { readonly ok: false; readonly uid?: string; readonly fault: string };

const OPERATIONS: readonly unknown[] = ["CREATE", "UPDATE", "DELETE", "CONNECT"];

/** Reads the body of an AdmissionReview, admission.k8s.io/v1. The objects in it are of the types that decisions read, and not copied. */
export function decodeReview(body: Buffer): Decoded {
  let review: unknown;
  try {
    review = JSON.parse(body.toString("utf8"));
  } catch (error) {
    return { ok: false, fault: `the body is not JSON: ${(error as Error).message}` };
  }
  if (!isFields(review)) return { ok: false, fault: "the body is no JSON object" };
  const { apiVersion, kind, request } = review;
  if (kind !== "AdmissionReview" || apiVersion !== "admission.k8s.io/v1") {
    const found = `${show(apiVersion)}, ${show(kind)}`;
    return {
      ok: false,
      fault: `the body is (apiVersion, kind) ${found}, expected "admission.k8s.io/v1", "AdmissionReview"`,
    };
  }
  if (!isFields(request)) return { ok: false, fault: "the AdmissionReview has no request" };
  const { uid } = request;
  if (typeof uid !== "string" || uid === "") return { ok: false, fault: "the request has no uid" };
  const checked = request as unknown as AdmissionRequest;
  const fault = faultOf(request) ?? shapeFault(checked);
  return fault === undefined ? { ok: true, request: checked } : { ok: false, uid, fault };
}

/** Checks all but the objects. */
function faultOf(request: Readonly<Record<string, unknown>>): string | undefined {
  const { kind, operation, userInfo } = request;
  if (!isFields(kind) || ![kind.group, kind.version, kind.kind].every(isString)) {
    return "request.kind is not {group, version, kind}";
  }
  if (!OPERATIONS.includes(operation)) {
    return `request.operation is ${show(operation)}, expected one of ${OPERATIONS.join(", ")}`;
  }
  if (!isFields(userInfo)) return "request.userInfo is missing";
  const { username } = userInfo;
  if (username !== undefined && !isString(username)) {
    return "request.userInfo.username is not a string";
  }
  for (const field of ["name", "namespace", "subResource"]) {
    const value = request[field];
    if (value !== undefined && !isString(value)) return `request.${field} is not a string`;
  }
  for (const field of ["object", "oldObject"]) {
    const value = request[field];
    if (value !== undefined && value !== null && !isFields(value)) {
      return `request.${field} is not an object`;
    }
  }
  return undefined;
}

function isString(value: unknown): value is string {
  return typeof value === "string";
}

/** A value of a stranger in an error text: short, and never walked, since it may be nested deeper than the stack. */
function show(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value.slice(0, 60)) : typeof value;
}
