import type { Decision } from "../admission/decision.ts";
import type { Snapshot } from "../admission/snapshot.ts";
import { GROUP } from "../api/crd.ts";
import type { AdmissionRequest } from "../api/review.ts";
import { WORKLOADS } from "../jobs/workloads.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import {
  answerAnyway,
  answerDecision,
  answerFault,
  type AdmissionReview,
  type Endpoint,
} from "./answer.ts";
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
  "/ConfigMap",
  `${GROUP}/Model`,
  `${GROUP}/ModelVersion`,
  `${GROUP}/ModelBinding`,
  ...WORKLOADS.map(({ group, kind }) => `${group}/${kind}`),
]);

/** Makes an endpoint. Each call is counted, and logged in one line without the objects in it. */
export function createHandler(options: HandlerOptions): Handler {
  const { endpoint, metrics, log } = options;
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
      const passes = endpoint === "hint";
      log.warn({ ...report(passes, "BadReview"), uid, fault }, "Refused");
      if (uid === undefined) return { code: 400, text: `modelhook cannot answer: ${fault}` };
      const review = passes ? answerAnyway(uid, fault) : answerFault(uid, 400, fault);
      return { code: 200, review };
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
      const { uid } = decoded.request;
      const passes = mayPass(decoded.request, endpoint);
      log.error({ ...report(passes, "InternalError"), err: error }, "Failed to answer");
      // Our own faults are in the log; only a lack of time says something to the user.
      const why = error === call.signal.reason ? `: ${(error as Error).message}` : "";
      const message = `modelhook could not decide${why}`;
      if (passes) {
        metrics.warned("InternalError");
        const review = answerAnyway(uid, `${message}; it is let through all the same`);
        return { code: 200, review };
      }
      const retry = `${message}; try again, then look into its log for ${uid}`;
      return { code: 200, review: answerFault(uid, 500, retry) };
    }
  };
}

/**
 * True for what goes through when nobody answers, too: hints, deletions, our own limits. The API server takes a denial for one
 * whatever the failure policy is, so our faults must not be denials there.
 */
function mayPass({ operation, kind }: AdmissionRequest, endpoint: Endpoint): boolean {
  return endpoint === "hint" || operation === "DELETE" || kind.kind === "ConfigMap";
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
  const { uid, kind, namespace, name, operation, dryRun } = request;
  const { metadata } = request.object ?? request.oldObject ?? {};
  return {
    uid,
    kind: kind.kind,
    namespace,
    name: name || metadata?.name || metadata?.generateName,
    operation,
    ...(dryRun === true ? { dryRun } : {}),
    ...(traceparent === undefined ? {} : { traceparent }),
  };
}
