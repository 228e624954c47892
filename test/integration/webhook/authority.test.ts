import { X509Certificate } from "node:crypto";
import { beforeEach, describe, expect, test } from "vitest";
import type { KubeObject } from "../../../src/api/kube-types.ts";
import { resources } from "../../../src/kube/resources.ts";
import { create, get, remove } from "../../../src/kube/write.ts";
import { createLogger } from "../../../src/telemetry/logger.ts";
import { AUTHORITY_SECRET, loadAuthority, type Authority } from "../../../src/tls/authority.ts";
import { issueAuthority, issueLeaf, type KeyPair } from "../../../src/tls/issue.ts";
import { isTrusted } from "../../../src/tls/pem.ts";
import { useCluster } from "../kube/cluster.ts";

const DAY = 86_400_000;
const cluster = useCluster();
const log = createLogger({ level: "silent" });
const now = Math.floor(Date.now() / 1000) * 1000;
let namespace: string;

beforeEach(async () => {
  namespace = await cluster.makeNamespace();
});

async function load(at = now, known?: Authority): Promise<Authority> {
  return loadAuthority(cluster.api, { namespace, known, now: at, log });
}

interface Secret extends KubeObject {
  readonly type?: string;
  readonly data?: Readonly<Record<string, string>>;
}

async function stored(): Promise<Secret> {
  return get<Secret>(cluster.api, resources.secrets, { namespace, name: AUTHORITY_SECRET });
}

function endOf({ cert }: Authority): number {
  return new X509Certificate(cert).validToDate.getTime();
}

test("the first replica makes the authority, for ten years", async () => {
  const authority = await load();
  expect(endOf(authority)).toBe(now + 3650 * DAY);
  expect(authority.bundle).toBe(authority.cert);
  const { type, data } = await stored();
  expect(type).toBe("kubernetes.io/tls");
  expect(Buffer.from(data?.["tls.crt"] ?? "", "base64").toString()).toBe(authority.cert);
});

test("replicas that start together agree on one", async () => {
  const all = await Promise.all(Array.from({ length: 6 }, async () => load()));
  expect(new Set(all.map(({ cert }) => cert)).size).toBe(1);
  expect(new Set(all.map(({ key }) => key)).size).toBe(1);
  expect(await load()).toEqual(all[0]);
});

test("one that ends within 90 days is followed by another, and both are trusted", async () => {
  const before = await load();
  const late = endOf(before) - 90 * DAY;
  expect(await load(late - 1)).toEqual(before);
  const [after, other] = await Promise.all([load(late), load(late)]);
  expect(other).toEqual(after);
  expect(after.cert).not.toBe(before.cert);
  expect(after.bundle).toBe(after.cert + before.cert);
  expect(await load(late)).toEqual(after);
});

test("one that has ended is followed by another and trusted no longer", async () => {
  const before = await load();
  const after = await load(endOf(before));
  expect(after.bundle).toBe(after.cert);
});

test("a Secret that was deleted is put back by whoever knows what it held", async () => {
  const before = await load();
  await remove(cluster.api, resources.secrets, { namespace, name: AUTHORITY_SECRET });
  expect(await load(now, before)).toEqual(before);
  expect(await load()).toEqual(before);
});

test("a pair of the administrator's own is used, and trusted without ca.crt", async () => {
  const { cert, key } = await issueAuthority({ from: now, to: now + 3650 * DAY });
  await store({ "tls.crt": cert, "tls.key": key });
  const authority = await load();
  expect(authority).toEqual({ cert, key, bundle: cert });
  const leaf = await issueLeaf(authority, ["127.0.0.1"], { from: now, to: now + DAY });
  expect(isTrusted(leaf.cert, authority.bundle, now)).toBe(true);
});

describe("a Secret that cannot be used is left alone, and the error says what to do", () => {
  test.each<[string, () => Promise<Record<string, string>>, string]>([
    ["no certificate", async () => ({}), "tls.crt holds no PEM certificate"],
    [
      "a leaf",
      async () => {
        const leaf = await issueLeaf(await makePair(), ["a"], { from: now, to: now + DAY });
        return { "tls.crt": leaf.cert, "tls.key": leaf.key };
      },
      "tls.crt is no certificate authority",
    ],
    [
      "no key",
      async () => ({ "tls.crt": (await makePair()).cert }),
      "tls.key holds no PEM private key",
    ],
    [
      "another's key",
      async () => ({ "tls.crt": (await makePair()).cert, "tls.key": (await makePair()).key }),
      "tls.key does not belong to the certificate in tls.crt",
    ],
    [
      "a broken bundle",
      async () => {
        const { cert, key } = await makePair();
        return { "tls.crt": cert, "tls.key": key, "ca.crt": "nonsense" };
      },
      "ca.crt holds no PEM certificate",
    ],
  ])("%s", async (_name, makeFiles, fault) => {
    await store({ "tls.crt": "", "tls.key": "", ...(await makeFiles()) });
    const before = await stored();
    await expect(load()).rejects.toThrow(
      `Secret ${namespace}/modelhook-ca: ${fault}; put a working pair there, or delete the Secret for a new authority`,
    );
    expect(await stored()).toEqual(before);
  });
});

test("an API server that is away is an error, never a reason for a new authority", async () => {
  const known = await load();
  await cluster.plane.stopApiServer();
  await expect(load(now, known)).rejects.toThrow("/modelhook-ca");
  await cluster.plane.startApiServer();
  expect(await load()).toEqual(known);
});

async function makePair(): Promise<KeyPair> {
  return issueAuthority({ from: now, to: now + DAY });
}

async function store(files: Readonly<Record<string, string>>): Promise<void> {
  await create<Secret>(cluster.api, resources.secrets, {
    metadata: { name: AUTHORITY_SECRET, namespace },
    type: "kubernetes.io/tls",
    data: Object.fromEntries(
      Object.entries(files).map(([name, text]) => [name, Buffer.from(text).toString("base64")]),
    ),
  });
}
