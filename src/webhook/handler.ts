import type { Decision } from "../admission/decision.ts";
import type { Snapshot } from "../admission/snapshot.ts";
import { GROUP } from "../api/crd.ts";
import type { AdmissionRequest } from "../api/review.ts";
import { WORKLOADS } from "../jobs/workloads.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { answerDecision, answerFault, type AdmissionReview, type Endpoint } from "./answer.ts";
import { decodeReview } from "./decode.ts";

/** The parts that make one of our endpoints. */
export interface HandlerOptions {
  readonly endpoint: Endpoint;
  /** Reads all that the decision needs; the signal ends when nobody waits for the answer any more. */
  readonly gather: (request: AdmissionRequest, signal: AbortSignal) => Promise<Snapshot>;
  readonly decide: (request: AdmissionRequest, snapshot: Snapshot) => Decision;
  readonly metrics: Metrics;
  readonly log: Logger;
}

/** One call of an endpoint, body read. */
export interface Call {
  readonly body: Buffer;
  /** W3C trace context header, when the API server traces this request. */
  readonly traceparent?: string | undefined;
  /** Ends when the time is up or the caller has gone; its reason is an Error. */
  readonly signal: AbortSignal;
}

/** What HTTP answers: an AdmissionReview, or a text when the call was none. */
export type Answer =
  | { readonly code: 200; readonly review: AdmissionReview }
  | { readonly code: 400; readonly text: string };

/** Decode, gather, decide, answer. It never throws and never rejects: what fails inside is a denial, hints aside. */
export type Handler = (call: Call) => Promise<Answer>;

/** The kinds that reach us; others share one label, so that strangers cannot make metrics grow. */
const KINDS = new Set([
  "/Pod",
  `${GROUP}/Model`,
  `${GROUP}/ModelVersion`,
  ...WORKLOADS.map(({ group, kind }) => `${group}/${kind}`),
]);

/** Makes an endpoint. Each call is counted, and logged in one line without the objects in it. */
export function createHandler(options: HandlerOptions): Handler {
  const { endpoint, metrics, log } = options;
  const allowsFaults = endpoint === "hint";
  return async (call) => {
    const began = performance.now();
    const decoded = decodeReview(call.body);
    const request = decoded.ok ? decoded.request : undefined;
    /** Counts the call and gives the fields of its log line. */
    const report = (allowed: boolean, reason: string): object => {
      const milliseconds = performance.now() - began;
      metrics.admitted({
        endpoint,
        kind: kindLabel(request),
        operation: request?.operation ?? "unknown",
        allowed,
        reason,
        seconds: milliseconds / 1000,
      });
      return { ...fieldsOf(request, call), endpoint, allowed, reason, milliseconds };
    };

    if (!decoded.ok) {
      const { uid, fault } = decoded;
      log.warn({ ...report(allowsFaults, "BadReview"), uid, fault }, "Refused");
      return uid === undefined
        ? { code: 400, text: `modelhook cannot answer: ${fault}` }
        : { code: 200, review: answerFault(uid, 400, fault, endpoint) };
    }
    try {
      call.signal.throwIfAborted();
      const snapshot = await inTime(options.gather(decoded.request, call.signal), call.signal);
      const decision = options.decide(decoded.request, snapshot);
      const review = answerDecision(decoded.request, decision, endpoint);
      for (const { reason } of decision.warnings) metrics.warned(reason);
      log.info(report(decision.allowed, decision.reason), "Answered");
      return { code: 200, review };
    } catch (error) {
      log.error({ ...report(allowsFaults, "InternalError"), err: error }, "Failed to answer");
      // Our own faults are in the log; only a lack of time says something to the user.
      const why = error === call.signal.reason ? `: ${(error as Error).message}` : "";
      const message = `modelhook could not decide${why}; try again, then look into its log for ${decoded.request.uid}`;
      return { code: 200, review: answerFault(decoded.request.uid, 500, message, endpoint) };
    }
  };
}

async function inTime<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: end, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(signal.reason as Error);
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([work, end]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

function kindLabel(request: AdmissionRequest | undefined): string {
  const { group = "", kind = "" } = request?.kind ?? {};
  return KINDS.has(`${group}/${kind}`) ? kind : "other";
}

function fieldsOf(request: AdmissionRequest | undefined, call: Call): object {
  const { traceparent } = call;
  if (request === undefined) return { traceparent };
  const { uid, kind, namespace, name, operation, object, dryRun } = request;
  return {
    uid,
    kind: kind.kind,
    namespace,
    name: name || object?.metadata?.name || object?.metadata?.generateName,
    operation,
    ...(dryRun === true ? { dryRun } : {}),
    ...(traceparent === undefined ? {} : { traceparent }),
  };
}
