import express, {
  type ErrorRequestHandler,
  type Express,
  type RequestHandler,
  type Response,
} from "express";
import type { Logger } from "../telemetry/logger.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { Handler } from "./handler.ts";
import type { ReadinessReport } from "./readiness.ts";

/** What the endpoints are made of. */
export interface AppOptions {
  readonly mutate: Handler;
  /** For pods of namespaces in which bindings are in effect. */
  readonly mutateBound: Handler;
  readonly validate: Handler;
  readonly hint: Handler;
  readonly readiness: ReadinessReport;
  readonly log: Logger;
  /** From the headers of a request to its answer; shorter than the 5 s that the API server waits. */
  readonly deadlineMs: number;
}

/** The API server takes bodies of up to 3 MiB and a review of an update holds two objects; 1 MiB is for what is around them. */
const BODY_LIMIT = 7 * 1024 * 1024;

/** A trace context has 55 characters in the one version that there is. */
const MAX_TRACEPARENT = 64;

const GONE = new Error("the caller has gone");

/** POST /mutate, /mutate/bound, /validate and /hint, GET /healthz and /readyz. */
export function createApp(options: AppOptions): Express {
  const { mutate, mutateBound, validate, hint, readiness, log, deadlineMs } = options;
  const app = bareApp();
  const read = [
    limitTime(deadlineMs),
    // The API server never compresses a review.
    express.raw({ type: "application/json", limit: BODY_LIMIT, inflate: false }),
  ];
  app.post("/mutate", read, serve(mutate, readiness));
  app.post("/mutate/bound", read, serve(mutateBound, readiness));
  app.post("/validate", read, serve(validate, readiness));
  app.post("/hint", read, serve(hint, readiness));
  app.all(["/mutate", "/mutate/bound", "/validate", "/hint"], (_request, response) => {
    sendText(response.set("allow", "POST"), 405, "expected POST");
  });
  addProbes(app, readiness);
  return addFallbacks(app, log);
}

/** GET /healthz, /readyz and /metrics, for a port without TLS that kubelet and Prometheus call. */
export function createProbeApp(options: {
  readonly readiness: ReadinessReport;
  readonly metrics: Metrics;
  readonly log: Logger;
}): Express {
  const app = bareApp();
  addProbes(app, options.readiness);
  app.get("/metrics", async (_request, response) => {
    const { text, contentType } = await options.metrics.expose();
    response.set("content-type", contentType).send(text);
  });
  return addFallbacks(app, options.log);
}

function bareApp(): Express {
  return express().disable("x-powered-by").set("etag", false).set("query parser", false);
}

/** Gives each request a signal; one whose body has not come in time is cut off, since its caller has given up too. */
function limitTime(deadlineMs: number): RequestHandler {
  return (request, response, next) => {
    const controller = new AbortController();
    const timer = setTimeout(() => {
      controller.abort(new Error(`there was no decision within ${deadlineMs} ms`));
      if (!request.complete) request.destroy();
    }, deadlineMs);
    response.once("close", () => {
      clearTimeout(timer);
      if (!response.writableFinished) controller.abort(GONE);
    });
    response.locals["signal"] = controller.signal;
    next();
  };
}

function serve(handle: Handler, readiness: ReadinessReport): RequestHandler {
  return async (request, response) => {
    const { body } = request as { body: unknown };
    if (!Buffer.isBuffer(body)) {
      sendText(response, 415, "expected a body of content type application/json");
      return;
    }
    const answer = await handle({
      body,
      traceparent: request.get("traceparent")?.slice(0, MAX_TRACEPARENT),
      signal: response.locals["signal"] as AbortSignal,
    });
    if (response.destroyed) return;
    if (readiness.isDraining()) response.set("connection", "close");
    if (answer.code === 200) response.json(answer.review);
    else sendText(response, answer.code, answer.text);
  };
}

function addProbes(app: Express, readiness: ReadinessReport): void {
  app.get("/healthz", (_request, response) => sendText(response, 200, "ok"));
  app.get("/readyz", (_request, response) => {
    sendText(response, readiness.isReady() ? 200 : 503, readiness.report());
  });
}

function addFallbacks(app: Express, log: Logger): Express {
  app.use((_request, response) => sendText(response, 404, "no such path"));
  // Express tells error handlers by their four parameters.
  const onError: ErrorRequestHandler = (error: unknown, request, response, _next) => {
    const code = statusOf(error);
    if (code === 500) log.error({ err: error, path: request.path }, "Failed to answer");
    if (response.headersSent || response.destroyed) response.destroy();
    else sendText(response, code, code === 500 ? "internal error" : (error as Error).message);
  };
  return app.use(onError);
}

/** The 4xx that Express gives a body it refuses (too large, cut short, compressed); everything else is our fault. */
function statusOf(error: unknown): number {
  const status = (error as { status?: unknown }).status;
  return typeof status === "number" && status >= 400 && status < 500 ? status : 500;
}

function sendText(response: Response, code: number, text: string): void {
  response.status(code).type("text").send(`${text}\n`);
}
