import { once } from "node:events";
import { Agent } from "node:https";
import { connect } from "node:tls";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { makeReview, makeSource, send } from "../../test/make/serving.ts";
import { createLogger } from "../telemetry/logger.ts";
import { createMetrics } from "../telemetry/metrics.ts";
import { createApp, createProbeApp } from "./app.ts";
import type { Answer, Call, Handler } from "./handler.ts";
import { createReadiness } from "./readiness.ts";
import { startProbeServer, startWebhookServer, type RunningServer } from "./server.ts";

const log = createLogger({ level: "silent" });

let server: RunningServer;
/** The same with a deadline that is soon over. */
let hasty: RunningServer;
let ca: string;
const readiness = createReadiness(["certificate"]);
/** What the handlers were called with since the test began. */
const calls: { readonly endpoint: string; readonly call: Call }[] = [];
let handler: Handler;

beforeAll(async () => {
  const source = await makeSource();
  ca = source.current().caBundle;
  const start = async (deadlineMs: number): Promise<RunningServer> => {
    const handlers = {
      mutate: recorded("mutate"),
      mutateBound: recorded("mutate/bound"),
      validate: recorded("validate"),
      hint: recorded("hint"),
    };
    const app = createApp({ ...handlers, readiness, log, deadlineMs });
    return startWebhookServer(app, { host: "127.0.0.1", port: 0, source });
  };
  server = await start(60_000);
  hasty = await start(200);
});

afterAll(async () => {
  await server.close(0);
  await hasty.close(0);
});

beforeEach(() => {
  calls.length = 0;
  handler = async () => answerOf("u-1");
});

function recorded(endpoint: string): Handler {
  return async (call) => {
    calls.push({ endpoint, call });
    return handler(call);
  };
}

function answerOf(uid: string): Answer {
  const response = { uid, allowed: true };
  return {
    code: 200,
    review: { apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", response },
  };
}

describe("a review", () => {
  test.each(["mutate", "validate", "hint"])(
    "posted to /%s is answered as JSON",
    async (endpoint) => {
      const reply = await send({ port: server.port, ca, path: `/${endpoint}` }, makeReview("u-1"));
      expect(reply).toMatchObject({ code: 200, headers: { "content-type": /^application\/json/ } });
      expect(JSON.parse(reply.text)).toMatchObject({ response: { uid: "u-1", allowed: true } });
      expect(calls).toMatchObject([{ endpoint, call: { body: Buffer.from(makeReview("u-1")) } }]);
    },
  );

  test("keeps the query that the API server adds, and its trace context", async () => {
    const traceparent = `00-${"a".repeat(100)}`;
    await send(
      { port: server.port, ca, path: "/mutate?timeout=5s", headers: { traceparent } },
      makeReview("u-1"),
    );
    expect(calls[0]?.call.traceparent).toBe(traceparent.slice(0, 64));
  });

  test("that the handler can not read is a text", async () => {
    handler = async () => ({ code: 400, text: "modelhook cannot answer: no request" });
    const reply = await send({ port: server.port, ca, path: "/mutate" }, "{}");
    expect(reply).toMatchObject({ code: 400, text: "modelhook cannot answer: no request\n" });
  });

  test("says nothing about what serves it", async () => {
    const reply = await send({ port: server.port, ca, path: "/mutate" }, makeReview("u-1"));
    expect(reply.headers).not.toHaveProperty("x-powered-by");
    expect(reply.headers).not.toHaveProperty("etag");
  });
});

describe("what is no review is refused before it is read", () => {
  test.each<[string, object, string | Buffer | undefined, number]>([
    ["another content type", { headers: { "content-type": "text/plain" } }, "{}", 415],
    ["a compressed body", { headers: { "content-encoding": "gzip" } }, gzipSync("{}"), 415],
    ["a body above the limit", {}, Buffer.alloc(7 * 1024 * 1024 + 1, " "), 413],
    ["another method", { method: "GET" }, undefined, 405],
    ["another path", { path: "/convert" }, "{}", 404],
  ])("%s", async (_name, options, body, code) => {
    const reply = await send({ port: server.port, ca, path: "/mutate", ...options }, body);
    expect(reply.code).toBe(code);
    expect(reply.headers["content-type"]).toMatch(/^text\/plain/);
    expect(calls).toEqual([]);
  });

  test("a body of exactly the limit is read", async () => {
    const body = Buffer.alloc(7 * 1024 * 1024, " ");
    const reply = await send({ port: server.port, ca, path: "/mutate" }, body);
    expect(reply.code).toBe(200);
    expect(calls[0]?.call.body).toHaveLength(body.length);
  });
});

describe("the deadline", () => {
  test("ends the handler's signal with the reason", async () => {
    handler = async ({ signal }) => {
      await once(signal, "abort");
      return { code: 400, text: (signal.reason as Error).message };
    };
    const reply = await send({ port: hasty.port, ca, path: "/mutate" }, makeReview("u-1"));
    expect(reply.text).toBe("there was no decision within 200 ms\n");
  });

  test("cuts off a body that does not come", async () => {
    const socket = connect({ host: "127.0.0.1", port: hasty.port, ca });
    socket.write("POST /mutate HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n");
    socket.write('content-length: 100\r\n\r\n{"apiVersion"');
    await once(socket, "close");
    expect(calls).toEqual([]);
  });

  test("a caller who goes ends the signal too", async () => {
    const { promise: signal, resolve } = Promise.withResolvers<AbortSignal>();
    handler = async (call) => {
      resolve(call.signal);
      await once(call.signal, "abort");
      return answerOf("u-1");
    };
    const agent = new Agent({ keepAlive: true });
    const reply = send({ port: server.port, ca, agent, path: "/mutate" }, makeReview("u-1"));
    const ended = once(await signal, "abort");
    agent.destroy();
    await expect(reply).rejects.toThrow("socket hang up");
    await ended;
    expect(((await signal).reason as Error).message).toBe("the caller has gone");
  });
});

describe("a handler that breaks its promise", () => {
  test("is answered with 500 and without its text", async () => {
    handler = async () => {
      throw new Error("a secret");
    };
    const reply = await send({ port: server.port, ca, path: "/mutate" }, makeReview("u-1"));
    expect(reply).toMatchObject({ code: 500, text: "internal error\n" });
  });
});

describe("probes", () => {
  let probes: RunningServer;

  beforeAll(async () => {
    const app = createProbeApp({ readiness, metrics: createMetrics(), log });
    probes = await startProbeServer(app, { host: "127.0.0.1", port: 0 });
  });

  afterAll(async () => probes.close(0));

  test("are answered with and without TLS", async () => {
    readiness.set("certificate", false, "ended");
    const { code, text } = await send({ port: server.port, ca, path: "/readyz" });
    expect({ code, text }).toEqual({ code: 503, text: "[-]certificate: ended\n" });
    const url = `http://127.0.0.1:${probes.port}`;
    expect((await fetch(`${url}/readyz`)).status).toBe(503);
    readiness.set("certificate", true);
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    expect(await (await fetch(`${url}/healthz`)).text()).toBe("ok\n");
  });

  test("metrics are on the port without TLS only", async () => {
    const metrics = await fetch(`http://127.0.0.1:${probes.port}/metrics`);
    expect(metrics.headers.get("content-type")).toMatch(/^text\/plain; version=0.0.4/);
    expect(await metrics.text()).toContain("modelhook_leader 0");
    expect(await send({ port: server.port, ca, path: "/metrics" })).toHaveProperty("code", 404);
  });

  test("reviews are not answered there", async () => {
    const url = `http://127.0.0.1:${probes.port}/mutate`;
    expect((await fetch(url, { method: "POST", body: makeReview("u-1") })).status).toBe(404);
  });
});
