import { X509Certificate } from "node:crypto";
import { afterEach, expect, test, vi } from "vitest";
import { createLogger } from "../telemetry/logger.ts";
import type { Authority } from "./authority.ts";
import { issueAuthority } from "./issue.ts";
import { openLeafSource, serviceNames } from "./leaf.ts";
import { isTrusted } from "./pem.ts";

const DAY = 86_400_000;
const log = createLogger({ level: "silent" });
/** Certificates hold whole seconds. */
const start = Math.floor(Date.now() / 1000) * 1000;

let stop = new AbortController();
afterEach(() => {
  stop.abort();
  stop = new AbortController();
});

async function makeAuthority(days = 3650): Promise<Authority> {
  const pair = await issueAuthority({ from: start, to: start + days * DAY });
  return { ...pair, bundle: pair.cert };
}

/** A source whose clock and stored authority the test moves; it checks every millisecond. */
async function openSource(stored: Authority) {
  const state = { now: start, stored, isPublished: true, checks: 0 };
  const source = await openLeafSource({
    authority: async () => {
      state.checks += 1;
      return state.stored;
    },
    isPublished: () => state.isPublished,
    names: serviceNames("modelhook", "modelhook-system"),
    log,
    signal: stop.signal,
    lifetimeMs: 30 * DAY,
    checkEveryMs: 1,
    now: () => state.now,
  });
  const changes = vi.fn<() => void>();
  source.onChange(changes);
  const nextCheck = async () => {
    const { checks } = state;
    // The check that runs now may have begun before the test's last change.
    await vi.waitUntil(() => state.checks >= checks + 3, 20_000);
  };
  return { source, state, changes, nextCheck };
}

test("the leaf is for the Service, under the authority, for its lifetime", async () => {
  const authority = await makeAuthority();
  const { source } = await openSource(authority);
  const { cert, caBundle, notAfter } = source.current();
  const leaf = new X509Certificate(cert);
  expect(leaf.subjectAltName).toBe(
    "DNS:modelhook.modelhook-system.svc, DNS:modelhook.modelhook-system.svc.cluster.local",
  );
  expect(caBundle).toBe(authority.cert);
  expect(isTrusted(cert, caBundle, start)).toBe(true);
  expect(notAfter).toBe(start + 30 * DAY);
});

test("the leaf never outlives its authority", async () => {
  const { source } = await openSource(await makeAuthority(10));
  expect(source.current().notAfter).toBe(start + 10 * DAY);
});

test("the leaf is renewed after two thirds of its life, not before", async () => {
  const { source, state, changes, nextCheck } = await openSource(await makeAuthority());
  const first = source.current();
  state.now = start + 20 * DAY - 1;
  await nextCheck();
  expect(source.current()).toBe(first);
  expect(changes).not.toHaveBeenCalled();
  state.now = start + 20 * DAY;
  await vi.waitUntil(() => source.current() !== first, 20_000);
  expect(source.current().notAfter).toBe(start + 50 * DAY);
  expect(source.current().key).not.toBe(first.key);
  expect(changes).toHaveBeenCalledOnce();
});

test("a new authority is published beside the old one before a leaf is signed by it", async () => {
  const before = await makeAuthority();
  const { source, state, nextCheck } = await openSource(before);
  const first = source.current();
  const after = await makeAuthority();
  state.isPublished = false;
  state.stored = { ...after, bundle: after.cert };
  await vi.waitUntil(() => source.current().caBundle !== first.caBundle, 20_000);
  expect(source.current().cert).toBe(first.cert);
  expect(source.current().caBundle).toBe(after.cert + before.cert);
  await nextCheck();
  expect(source.current().cert).toBe(first.cert);
  state.isPublished = true;
  await vi.waitUntil(() => source.current().cert !== first.cert, 20_000);
  expect(isTrusted(source.current().cert, after.cert, start)).toBe(true);
  expect(source.current().caBundle).toBe(after.cert);
});

test("an authority that cannot be read at a check leaves the leaf in use", async () => {
  const authority = await makeAuthority();
  let calls = 0;
  const source = await openLeafSource({
    authority: async () => {
      calls += 1;
      if (calls > 1) throw new Error("no connection");
      return authority;
    },
    isPublished: () => true,
    names: ["127.0.0.1"],
    log,
    signal: stop.signal,
    checkEveryMs: 1,
  });
  const first = source.current();
  await vi.waitUntil(() => calls > 3, 20_000);
  expect(source.current()).toBe(first);
});
