import { JOB_KINDS } from "../../src/jobs/kinds.ts";
import type { Workload } from "../../src/jobs/places.ts";
import { WORKLOADS } from "../../src/jobs/workloads.ts";
import type { Review } from "./review.ts";
import { fieldsOf, type Fields } from "./tree.ts";

/** Most characters of a warning. */
const MAX_WARNING = 256;

/** What the webhook says when a part of it has thrown, whether it denies or lets through. */
const COULD_NOT = "modelhook could not decide";

/** What is wrong with an AdmissionReview as the answer to a request, its patch aside. */
export function responseFault(
  { apiVersion, kind, response }: Fields,
  request: Fields,
  endpoint: Review["endpoint"],
): string | undefined {
  if (apiVersion !== "admission.k8s.io/v1" || kind !== "AdmissionReview") {
    return "no AdmissionReview";
  }
  const { uid, allowed, warnings, auditAnnotations, status } = fieldsOf(response);
  if (uid !== request["uid"]) return `uid ${String(uid)}, expected ${String(request["uid"])}`;
  if (typeof allowed !== "boolean") return "allowed is no boolean";
  const isHint = endpoint === "hint" && isHintedOnly(request);
  const denial = allowed ? undefined : denialFault(fieldsOf(status), isHint);
  return denial ?? warningsFault(warnings) ?? auditFault(auditAnnotations);
}

/** True for the kinds that come to /hint alone; jobs are decided on where they export. */
function isHintedOnly({ kind }: Fields): boolean {
  const { group, version, kind: name } = fieldsOf(kind);
  const isOf = (row: Workload): boolean =>
    row.group === group && row.version === version && row.kind === name;
  return WORKLOADS.some(isOf) && !JOB_KINDS.some(isOf);
}

/** The API server decodes a denial strictly: a field of another type makes it a failure of the webhook. */
function denialFault(
  { code, reason, message, details }: Fields,
  isHint: boolean,
): string | undefined {
  if (isHint) return `a denial by /hint: ${String(message)}`;
  if (typeof code !== "number" || code < 400 || code > 499) {
    return `status ${String(code)}: ${String(message)}`;
  }
  if (typeof message !== "string" || message === "") return "a denial without message";
  const { name = "", group = "", kind = "", causes = [] } = fieldsOf(details);
  if (![reason, name, group, kind].every((each) => typeof each === "string")) {
    return "a denial whose reason or details are no texts";
  }
  if (!Array.isArray(causes)) return "a denial whose causes are no list";
  return causes.every(isCause)
    ? undefined
    : "a denial with a cause that is not {reason, field, message}";
}

function isCause(value: unknown): boolean {
  const { reason, field, message } = fieldsOf(value);
  return [reason, field, message].every((each) => typeof each === "string");
}

function warningsFault(warnings: unknown): string | undefined {
  if (warnings === undefined) return undefined;
  if (!Array.isArray(warnings)) return "warnings that are no list";
  for (const warning of warnings as readonly unknown[]) {
    if (typeof warning !== "string") return "a warning that is no text";
    if (warning.includes(COULD_NOT)) return warning;
    if (/\p{Cc}/u.test(warning)) return `a control character in ${JSON.stringify(warning)}`;
    if (warning.length > MAX_WARNING && Array.from(warning).length > MAX_WARNING) {
      return `a warning of ${Array.from(warning).length} characters`;
    }
  }
  return undefined;
}

function auditFault(annotations: unknown): string | undefined {
  if (annotations === undefined) return undefined;
  const isRight = Object.values(fieldsOf(annotations)).every((each) => typeof each === "string");
  return isRight ? undefined : "an audit annotation that is no text";
}
