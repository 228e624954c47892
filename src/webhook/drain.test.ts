import { Agent } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { startBalancer } from "../../test/make/balancer.ts";
import { makeReview, makeSource, send } from "../../test/make/serving.ts";
import { createLogger } from "../telemetry/logger.ts";
import { createMetrics } from "../telemetry/metrics.ts";
import { createApp, createProbeApp } from "./app.ts";
import { drain } from "./drain.ts";
import type { Handler } from "./handler.ts";
import { createReadiness } from "./readiness.ts";
import { startProbeServer, startWebhookServer } from "./server.ts";

const log = createLogger({ level: "silent" });

type Source = Awaited<ReturnType<typeof makeSource>>;

/** A whole webhook process, but in this one; `received` and `answered` are uids of reviews. */
async function startReplica(source: Source, answerAfterMs: () => number) {
  const readiness = createReadiness([]);
  const received: string[] = [];
  const answered: string[] = [];
  const handle: Handler = async ({ body }) => {
    const { request } = JSON.parse(body.toString()) as { request: { uid: string } };
    received.push(request.uid);
    await sleep(answerAfterMs());
    answered.push(request.uid);
    const response = { uid: request.uid, allowed: true };
    return {
      code: 200,
      review: { apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", response },
    };
  };
  const app = createApp({
    mutate: handle,
    mutateBound: handle,
    validate: handle,
    hint: handle,
    readiness,
    log,
    deadlineMs: 4000,
  });
  const address = { host: "127.0.0.1", port: 0 };
  const webhook = await startWebhookServer(app, { ...address, source });
  const probeApp = createProbeApp({ readiness, metrics: createMetrics(), log });
  const probes = await startProbeServer(probeApp, address);
  const options = { readiness, webhook, probes, log };
  return {
    ...options,
    received,
    answered,
    drain: async (times: Times) => drain({ ...options, ...times }),
  };
}

interface Times {
  readonly graceMs: number;
  readonly finishMs: number;
}

type Replica = Awaited<ReturnType<typeof startReplica>>;

let source: Source;
const agent = new Agent({ keepAlive: true });
const closing: (() => unknown)[] = [];

beforeEach(async () => {
  source = await makeSource();
});

afterEach(async () => {
  agent.destroy();
  for (const close of closing.splice(0)) await close();
});

async function start(answerAfterMs: () => number = () => 0): Promise<Replica> {
  const replica = await startReplica(source, answerAfterMs);
  closing.push(async () => {
    await replica.webhook.close(0);
    await replica.probes.close(0);
  });
  return replica;
}

function upTo20Ms(): number {
  return Math.random() * 20;
}

test("a replica that leaves under load loses no request, and another takes over", async () => {
  const leaving = await start(upTo20Ms);
  const staying = await start(upTo20Ms);
  const balancer = await startBalancer([leaving, staying]);
  closing.push(() => balancer.close());
  const sent: string[] = [];
  const failed: unknown[] = [];
  const over = new AbortController();

  async function call(client: number): Promise<void> {
    for (let turn = 0; !over.signal.aborted; turn += 1) {
      const uid = `${client}-${turn}`;
      sent.push(uid);
      try {
        const options = { port: balancer.port, ca: source.current().caBundle, agent };
        const reply = await send({ ...options, path: "/mutate" }, makeReview(uid));
        expect(JSON.parse(reply.text)).toMatchObject({ response: { uid, allowed: true } });
      } catch (error) {
        failed.push(error);
      }
    }
  }

  const clients = Array.from({ length: 8 }, async (_, client) => call(client));
  await vi.waitUntil(() => leaving.answered.length > 50, 20_000);
  await leaving.drain({ graceMs: 200, finishMs: 2000 });
  const atTheEnd = [leaving, staying].map((replica) => replica.answered.length);
  await vi.waitUntil(() => staying.answered.length > (atTheEnd[1] ?? 0) + 50, 20_000);
  over.abort();
  await Promise.all(clients);

  expect(failed).toEqual([]);
  expect([...leaving.answered, ...staying.answered].toSorted()).toEqual(sent.toSorted());
  expect(leaving.answered).toHaveLength(atTheEnd[0] ?? 0);
});

describe("while it drains", () => {
  test("a replica is not ready, serves on, and ends each connection with its answer", async () => {
    const replica = await start();
    const options = { port: replica.webhook.port, ca: source.current().caBundle, agent };
    await send({ ...options, path: "/mutate" }, makeReview("before"));
    const drained = replica.drain({ graceMs: 200, finishMs: 1000 });
    const probe = await fetch(`http://127.0.0.1:${replica.probes.port}/readyz`);
    expect(probe.status).toBe(503);
    expect(await probe.text()).toContain("[-]drain: stopping");
    const reply = await send({ ...options, path: "/mutate" }, makeReview("during"));
    expect(reply).toMatchObject({ code: 200, headers: { connection: "close" } });
    await drained;
    await expect(send({ ...options, path: "/mutate" }, makeReview("after"))).rejects.toThrow(
      "ECONNREFUSED",
    );
    expect(replica.answered).toEqual(["before", "during"]);
  });

  test("a request that takes longer than the grace is answered, and its connection ended", async () => {
    const replica = await start(() => 300);
    const options = { port: replica.webhook.port, ca: source.current().caBundle, agent };
    const reply = send({ ...options, path: "/mutate" }, makeReview("slow"));
    await vi.waitUntil(() => replica.received.length === 1, 20_000);
    await replica.drain({ graceMs: 10, finishMs: 2000 });
    expect(await reply).toMatchObject({ code: 200, headers: { connection: "close" } });
  });

  test("a request that never ends does not hold the process", async () => {
    const replica = await start(() => 60_000);
    const options = { port: replica.webhook.port, ca: source.current().caBundle, agent };
    const reply = send({ ...options, path: "/mutate" }, makeReview("stuck"));
    const outcome = reply.catch((error: unknown) => String(error));
    await vi.waitUntil(() => replica.received.length === 1, 20_000);
    await replica.drain({ graceMs: 10, finishMs: 50 });
    expect(await outcome).toContain("socket hang up");
  });
});
