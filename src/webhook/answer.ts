import type { Decision } from "../admission/decision.ts";
import { GROUP } from "../api/crd.ts";
import type { AdmissionRequest, AdmissionResponse, Cause, CauseType } from "../api/review.ts";
import { RULES, type RuleText } from "../api/rules.ts";

/** The whole answer, admission.k8s.io/v1. */
export interface AdmissionReview {
  readonly apiVersion: "admission.k8s.io/v1";
  readonly kind: "AdmissionReview";
  readonly response: AdmissionResponse;
}

/**
 * Which of our paths was called; to a validating webhook's caller a patch is an error, so only `mutate` answers with one. `hint`
 * never denies.
 */
export type Endpoint = "mutate" | "validate" | "hint";

/**
 * Once the warnings of a request exceed 4096 characters the API server cuts each to 256 and drops what is still too much, so one
 * long warning would spoil the others. A warning with a control character it drops whole.
 */
const MAX_WARNING = 256;
const MAX_WARNINGS = 4096 / MAX_WARNING;

/** Answers with a decision. */
export function answerDecision(
  request: AdmissionRequest,
  decision: Decision,
  endpoint: Endpoint,
): AdmissionReview {
  const { allowed, reason } = decision;
  const warnings = isRepeated(request, endpoint)
    ? []
    : readableWarnings(decision.warnings.map(({ message }) => message));
  const facts = {
    uid: request.uid,
    auditAnnotations: { reason },
    ...(warnings.length === 0 ? {} : { warnings }),
  };
  if (!allowed) return review({ ...facts, allowed, status: statusOf(request, decision) });
  if (endpoint !== "mutate" || decision.operations.length === 0) {
    return review({ ...facts, allowed });
  }
  const patch = Buffer.from(JSON.stringify(decision.operations)).toString("base64");
  return review({ ...facts, allowed, patchType: "JSONPatch", patch });
}

/** Our own kinds come to both endpoints, and have been warned by the first. */
function isRepeated({ kind, operation }: AdmissionRequest, endpoint: Endpoint): boolean {
  return endpoint === "validate" && kind.group === GROUP && operation !== "DELETE";
}

/** Denies what could not be decided on: 400 when the request is at fault, 500 when we are. */
export function answerFault(uid: string, code: 400 | 500, message: string): AdmissionReview {
  const reason = code === 400 ? "BadRequest" : "InternalError";
  return review({ uid, allowed: false, status: { code, reason, message } });
}

/** Lets a request pass that could not be decided on, where modelhook is to stand in nobody's way. */
export function answerAnyway(uid: string, message: string): AdmissionReview {
  return review({ uid, allowed: true, warnings: readableWarnings([message]) });
}

/**
 * Faults of our own kinds are 422 Invalid: kubectl then names the object and prints one fault to a line. It leaves out who refused,
 * which for other kinds is the first thing to know, so theirs are 403 Forbidden.
 */
function statusOf(
  request: AdmissionRequest,
  { reason, message, causes }: Extract<Decision, { allowed: false }>,
) {
  if (reason === "InternalError") return { code: 500, reason, message };
  // An object that may not be deleted is not for that invalid.
  const isInvalid =
    request.kind.group === GROUP && causes.length > 0 && request.operation !== "DELETE";
  const metadata = (request.object ?? request.oldObject)?.metadata;
  return {
    code: isInvalid ? 422 : 403,
    reason: isInvalid ? "Invalid" : "Forbidden",
    message,
    details: {
      name: request.name || metadata?.name || metadata?.generateName || "",
      group: request.kind.group,
      kind: request.kind.kind,
      causes: causes.map(({ field, message: text, ...cause }) => ({
        reason: causeType(cause),
        field,
        message: text,
      })),
    },
  };
}

function causeType({ type, rule }: Pick<Cause, "type" | "rule">): CauseType {
  const broken: RuleText | undefined = rule === undefined ? undefined : RULES[rule];
  return type ?? broken?.type ?? "FieldValueInvalid";
}

function readableWarnings(warnings: readonly string[]): readonly string[] {
  const readable = warnings.map((message) => cut(message.replaceAll(/\p{Cc}+/gu, " ")));
  if (readable.length <= MAX_WARNINGS) return readable;
  const shown = readable.slice(0, MAX_WARNINGS - 1);
  return [...shown, `and ${readable.length - shown.length} more warnings`];
}

function cut(text: string): string {
  if (text.length <= MAX_WARNING) return text;
  // By code points, which are what the API server counts.
  const characters = Array.from(text);
  return characters.length <= MAX_WARNING
    ? text
    : `${characters.slice(0, MAX_WARNING - 1).join("")}…`;
}

function review(response: AdmissionResponse): AdmissionReview {
  return { apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", response };
}
