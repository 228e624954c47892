import { afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { isNotFound } from "../../../src/kube/errors.ts";
import { resources, type ObjectRef, type Resource } from "../../../src/kube/resources.ts";
import type { PatchOperation } from "../../../src/api/review.ts";
import { create, get, jsonPatch, remove } from "../../../src/kube/write.ts";
import { createLogger } from "../../../src/telemetry/logger.ts";
import { AUTHORITY_SECRET } from "../../../src/tls/authority.ts";
import type { WebhookConfiguration } from "../../../src/tls/ca-bundle.ts";
import { issueAuthority } from "../../../src/tls/issue.ts";
import { useCluster } from "../kube/cluster.ts";
import { NAME, NAMESPACE, startReplica, type Replica } from "./replica.ts";

const URL = "https://127.0.0.1:1";
const RESOURCES = [
  resources.mutatingwebhookconfigurations,
  resources.validatingwebhookconfigurations,
];
const cluster = useCluster();
const log = createLogger({ level: "silent" });
const replicas: Replica[] = [];

beforeAll(async () => {
  await create(cluster.api, resources.namespaces, { metadata: { name: NAMESPACE } });
});

afterEach(async () => {
  for (const replica of replicas.splice(0)) await replica.stop();
  for (const resource of RESOURCES) await removeIfThere(resource, { name: NAME });
  await removeIfThere(resources.secrets, { namespace: NAMESPACE, name: AUTHORITY_SECRET });
});

async function removeIfThere(resource: Resource, ref: ObjectRef): Promise<void> {
  await remove(cluster.api, resource, ref).catch((error: unknown) => {
    if (!isNotFound(error)) throw error;
  });
}

async function start(): Promise<Replica> {
  const replica = await startReplica(cluster.api, log);
  replicas.push(replica);
  return replica;
}

async function ready(replica: Replica): Promise<void> {
  await vi.waitUntil(() => replica.readiness.isReady(), { timeout: 20_000, interval: 10 });
}

async function live(resource = RESOURCES[0]): Promise<WebhookConfiguration> {
  return get(cluster.api, resource ?? resources.mutatingwebhookconfigurations, { name: NAME });
}

describe("the leader", () => {
  test("publishes both configurations with the bundle, and only then a replica is ready", async () => {
    const leader = await start();
    await leader.live.synced;
    expect(leader.readiness.isReady()).toBe(false);
    leader.lead(URL);
    await ready(leader);
    const bundle = base64(leader.source.current().caBundle);
    for (const resource of RESOURCES) {
      const { webhooks } = await live(resource);
      expect(webhooks?.map(({ clientConfig }) => clientConfig.caBundle)).toEqual(
        webhooks?.map(() => bundle),
      );
    }
  });

  test("writes nothing when what is there is right", async () => {
    const first = await start();
    first.lead(URL);
    await ready(first);
    const before = await Promise.all(RESOURCES.map(async (resource) => live(resource)));
    const next = await start();
    next.lead(URL);
    await ready(next);
    // Something to repair, so that the next leader has surely looked.
    await patch([{ op: "replace", path: "/webhooks/0/failurePolicy", value: "Ignore" }]);
    await vi.waitFor(async () => expect((await live()).webhooks).toEqual(before[0]?.webhooks));
    expect(await live(RESOURCES[1])).toEqual(before[1]);
  });

  test.each<[string, readonly PatchOperation[]]>([
    [
      "a bundle that was overwritten",
      [{ op: "replace", path: "/webhooks/1/clientConfig/caBundle", value: "bm9uZQ==" }],
    ],
    ["a bundle that was removed", [{ op: "remove", path: "/webhooks/0/clientConfig/caBundle" }]],
    ["a failure policy", [{ op: "replace", path: "/webhooks/0/failurePolicy", value: "Ignore" }]],
    [
      "a condition that switches a webhook off",
      [
        {
          op: "add",
          path: "/webhooks/0/matchConditions/-",
          value: { name: "never", expression: "false" },
        },
      ],
    ],
    [
      "a selector",
      [{ op: "add", path: "/webhooks/0/objectSelector/matchLabels", value: { a: "b" } }],
    ],
    ["a webhook that was taken out", [{ op: "remove", path: "/webhooks/1" }]],
    ["the label", [{ op: "remove", path: "/metadata/labels" }]],
  ])("repairs %s", async (_name, operations) => {
    const leader = await start();
    leader.lead(URL);
    await ready(leader);
    const { webhooks, metadata } = await live();
    await patch(operations);
    await vi.waitFor(
      async () => {
        const now = await live();
        expect(now.webhooks).toEqual(webhooks);
        expect(now.metadata.labels).toEqual(metadata.labels);
      },
      { timeout: 20_000 },
    );
    await ready(leader);
  });

  test("keeps the labels of others", async () => {
    const leader = await start();
    leader.lead(URL);
    await ready(leader);
    await patch([
      { op: "add", path: "/metadata/labels/team", value: "ml" },
      { op: "replace", path: "/webhooks/0/failurePolicy", value: "Ignore" },
    ]);
    await vi.waitFor(async () =>
      expect((await live()).webhooks).toMatchObject([{ failurePolicy: "Fail" }, {}, {}, {}, {}]),
    );
    expect((await live()).metadata.labels).toMatchObject({ team: "ml" });
  });

  test.each(RESOURCES)("makes $kind again when it was deleted", async (resource) => {
    const leader = await start();
    leader.lead(URL);
    await ready(leader);
    await remove(cluster.api, resource, { name: NAME });
    await vi.waitFor(async () => expect(await live(resource)).toHaveProperty("webhooks"), {
      timeout: 20_000,
    });
    await ready(leader);
  });

  test("goes on after an API server that was away", async () => {
    const leader = await start();
    leader.lead(URL);
    await ready(leader);
    await cluster.plane.restartApiServer();
    await remove(cluster.api, resources.validatingwebhookconfigurations, { name: NAME });
    await vi.waitFor(
      async () =>
        expect(await live(resources.validatingwebhookconfigurations)).toHaveProperty("webhooks"),
      { timeout: 40_000 },
    );
  });
});

describe("a second replica", () => {
  test("signs under the authority of the first, so both are trusted", async () => {
    const [one, other] = [await start(), await start()];
    expect(other.source.current().caBundle).toBe(one.source.current().caBundle);
    expect(other.source.current().cert).not.toBe(one.source.current().cert);
    one.lead(URL);
    await ready(one);
    await ready(other);
  });

  test("is not ready while the configurations trust another authority", async () => {
    const replica = await start();
    replica.lead(URL);
    await ready(replica);
    await replica.stop();
    const stranger = await issueAuthority({ from: Date.now(), to: Date.now() + 3_600_000 });
    const path = "/webhooks/0/clientConfig/caBundle";
    await patch([{ op: "replace", path, value: base64(stranger.cert) }]);
    const follower = await start();
    await follower.live.synced;
    expect(follower.readiness.isReady()).toBe(false);
    expect(follower.readiness.report()).toBe(
      "[-]caBundle: the webhook configurations trust another authority",
    );
    follower.lead(URL);
    await ready(follower);
  });
});

test("a new authority in the Secret is published before anybody serves under it", async () => {
  const [leader, follower] = [await start(), await start()];
  leader.lead(URL);
  await ready(leader);
  const before = leader.source.current();
  const next = await issueAuthority({ from: Date.now(), to: Date.now() + 3650 * 86_400_000 });
  const untrusted = vi.fn<() => void>();
  for (const replica of [leader, follower]) {
    replica.live.onChange(() => {
      if (!replica.live.trust(replica.source.current().cert)) untrusted();
    });
    replica.source.onChange(() => {
      if (!replica.live.trust(replica.source.current().cert)) untrusted();
    });
  }
  await jsonPatch(
    cluster.api,
    resources.secrets,
    { namespace: NAMESPACE, name: AUTHORITY_SECRET },
    [
      { op: "replace", path: "/data/tls.crt", value: base64(next.cert) },
      { op: "replace", path: "/data/tls.key", value: base64(next.key) },
      { op: "replace", path: "/data/ca.crt", value: base64(next.cert + before.caBundle) },
    ],
  );
  for (const replica of [leader, follower]) {
    await vi.waitUntil(() => replica.source.current().cert !== before.cert, { timeout: 20_000 });
    expect(replica.source.current().caBundle).toBe(next.cert + before.caBundle);
  }
  expect(untrusted).not.toHaveBeenCalled();
});

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}

async function patch(operations: readonly PatchOperation[]): Promise<void> {
  await jsonPatch(cluster.api, resources.mutatingwebhookconfigurations, { name: NAME }, operations);
}
