import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { resources } from "../../../src/kube/resources.ts";
import { create } from "../../../src/kube/write.ts";
import { createLogger } from "../../../src/telemetry/logger.ts";
import { createMetrics } from "../../../src/telemetry/metrics.ts";
import { createProbeApp } from "../../../src/webhook/app.ts";
import { drain } from "../../../src/webhook/drain.ts";
import { startProbeServer } from "../../../src/webhook/server.ts";
import { startBalancer } from "../../make/balancer.ts";
import { useCluster } from "../kube/cluster.ts";
import { NAMESPACE, startReplica, type Replica } from "./replica.ts";

const cluster = useCluster();
const log = createLogger({ level: "silent" });
const backends: Replica[] = [];

beforeAll(async () => {
  const { api, plane } = cluster;
  await plane.kubectl(["apply", "--filename", "deploy/crds"]);
  await plane.kubectl(["wait", "--for=condition=Established", "crd", "--all"]);
  await create(api, resources.namespaces, { metadata: { name: NAMESPACE } });
});

afterAll(async () => {
  for (const replica of backends) await replica.stop();
});

async function drainAndStop(replica: Replica): Promise<void> {
  const app = createProbeApp({ readiness: replica.readiness, metrics: createMetrics(), log });
  const probes = await startProbeServer(app, { host: "127.0.0.1", port: 0 });
  await drain({
    readiness: replica.readiness,
    webhook: replica.webhook,
    probes,
    graceMs: 500,
    finishMs: 5000,
    log,
  });
  await replica.stop();
}

test("replicas are replaced one after the other while the API server creates pods, and none is refused", async () => {
  const { api } = cluster;
  const start = async (): Promise<Replica> => {
    const replica = await startReplica(api, log);
    backends.push(replica);
    return replica;
  };
  const first = await start();
  const second = await start();
  const balancer = await startBalancer(backends);
  const leader = await startReplica(api, log);
  leader.lead(`https://127.0.0.1:${balancer.port}`);
  await vi.waitUntil(() => backends.every(({ readiness }) => readiness.isReady()), 20_000);
  await vi.waitUntil(
    async () => {
      await create(api, resources.models, {
        metadata: { generateName: "a-", namespace: "default" },
      });
      return first.seen.length + second.seen.length > 1;
    },
    { timeout: 20_000, interval: 100 },
  );

  const over = new AbortController();
  const failed: unknown[] = [];
  let admitted = 0;
  async function createPods(): Promise<void> {
    const pod = {
      metadata: {
        generateName: "web-",
        namespace: "default",
        annotations: { "model.kubedl.io/model": "digits" },
      },
      spec: { containers: [{ name: "main", image: "scratch" }] },
    };
    while (!over.signal.aborted) {
      await create(api, resources.pods, pod, { dryRun: true }).then(
        () => (admitted += 1),
        (error: unknown) => failed.push(error),
      );
    }
  }
  const clients = Array.from({ length: 6 }, createPods);
  try {
    for (const leaving of [first, second]) {
      const next = await start();
      await vi.waitUntil(() => next.readiness.isReady() && leaving.seen.length > 100, 30_000);
      await drainAndStop(leaving);
      await vi.waitUntil(() => next.seen.length > 100, 30_000);
    }
  } finally {
    // Clients that nobody stops would go on for ever.
    over.abort();
    await Promise.all(clients);
    balancer.close();
    await leader.stop();
  }

  expect(failed).toEqual([]);
  const sent = backends
    .flatMap(({ seen }) => seen)
    .filter(({ request }) => request.kind.kind === "Pod");
  expect(sent).toHaveLength(admitted);
}, 150_000);
