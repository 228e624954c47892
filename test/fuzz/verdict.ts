import { WRONG_TYPES } from "./bytes.ts";
import type { Reply } from "./connection.ts";
import { patchedBy } from "./patch.ts";
import { responseFault } from "./response.ts";
import type { Review } from "./review.ts";
import { fieldsOf, type Fields } from "./tree.ts";

/** What a patch makes of a review, to be sent once more. */
type Again = Required<Pick<Sent, "body" | "tree">>;

/** What an answer is: one of the three that are right, or a crash, and why. */
export type Verdict =
  | { readonly is: "refused" }
  | { readonly is: "denied" }
  | { readonly is: "allowed"; readonly again?: Again | undefined }
  | { readonly is: "crash"; readonly cause: string };

/** Bytes of a body above which it is not read. */
const BODY_LIMIT = 7 * 2 ** 20;

/** A review as it was sent. */
export type Sent = Pick<Review, "endpoint" | "contentType" | "contentEncoding" | "body" | "tree">;

/** Judges an answer by what was sent, not by what the webhook thinks of it. */
export function judge(sent: Sent, reply: Reply): Verdict {
  const { code, contentType, text } = reply;
  const review = reviewIn(sent);
  if (code !== 200) {
    const isText = contentType.startsWith("text/plain") && text !== "";
    if (code < 400 || code > 499) return crash(`HTTP ${code}: ${text}`);
    if (review !== undefined) return crash(`HTTP ${code} for a review: ${text}`);
    return isText ? { is: "refused" } : crash(`HTTP ${code} with ${contentType}`);
  }
  if (review === undefined) return crash("HTTP 200 for what is no review");
  if (!contentType.startsWith("application/json")) return crash(`HTTP 200 with ${contentType}`);
  const request = fieldsOf(review["request"]);
  const answer = fieldsOf(JSON.parse(text));
  const cause = responseFault(answer, request, sent.endpoint);
  if (cause !== undefined) return crash(cause);
  const { patch, patchType, allowed } = fieldsOf(answer["response"]);
  if (patch === undefined) return { is: allowed === true ? "allowed" : "denied" };
  if (allowed !== true || sent.endpoint !== "mutate" || patchType !== "JSONPatch") {
    return crash(`a patch (${String(patchType)}) of /${sent.endpoint} where none may be`);
  }
  // Parts of the tree may be one object at several places; what was read is never.
  const read = sent.tree === undefined ? review : fieldsOf(parsed(sent.body));
  const asked = fieldsOf(read["request"]);
  const result = patchedBy(asked["object"], patch);
  if (!result.ok) return crash(result.cause);
  return {
    is: "allowed",
    again: againOf({ ...read, request: { ...asked, object: result.object } }),
  };
}

function crash(cause: string): Verdict {
  return { is: "crash", cause };
}

/** The review that was sent; undefined when an API server would not take it for one. */
function reviewIn({ contentType, contentEncoding, body, tree }: Sent): Fields | undefined {
  if (WRONG_TYPES.includes(contentType) || contentEncoding !== undefined) return undefined;
  if (body.length > BODY_LIMIT) return undefined;
  const read = tree ?? parsed(body);
  const { apiVersion, kind, request } = fieldsOf(read);
  const { uid } = fieldsOf(request);
  const isReview = apiVersion === "admission.k8s.io/v1" && kind === "AdmissionReview";
  return isReview && typeof uid === "string" && uid !== "" ? fieldsOf(read) : undefined;
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    return undefined;
  }
}

/** Undefined for a review that is nested too deep for JSON.stringify. */
function againOf(tree: Fields): Again | undefined {
  try {
    return { tree, body: Buffer.from(JSON.stringify(tree)) };
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
