import { describe, expect, test, vi } from "vitest";
import { ConnectionError, isGone } from "../../../src/kube/errors.ts";
import { isList, isWatch, type Fault, type OpenWatch, type Seen } from "../../faults/proxy.ts";
import { useCluster } from "./cluster.ts";
import {
  expectFollowed,
  makeChanges,
  makeFollowing,
  openWatch,
  type Following,
} from "./following.ts";

const cluster = useCluster();

const EXPIRED = { kind: "Status", code: 410, reason: "Expired", message: "too old" };
const UNAUTHORIZED = { kind: "Status", code: 401, reason: "Unauthorized", message: "Unauthorized" };
const NOT_FOUND = { kind: "Status", code: 404, reason: "NotFound", message: "no such kind" };
const INTERNAL = { kind: "Status", code: 500, reason: "InternalError", message: "broken" };
const BUSY: Fault = { kind: "answer", status: 429, headers: { "retry-after": "1" }, body: {} };
const HTML: Fault = { kind: "answer", status: 502, body: "<html>Bad Gateway</html>" };
const CUT_JSON: Fault = { kind: "answer", status: 200, body: '{"kind":"List","items":[{"me' };

describe("the first list is whole", () => {
  test.each<{ fault: string; match: (request: Seen) => boolean; strike: Fault; times: number }>([
    { fault: "a connection reset", match: isList, strike: { kind: "reset" }, times: 2 },
    {
      fault: "an answer lost on its way",
      match: isList,
      strike: { kind: "lose-answer" },
      times: 2,
    },
    { fault: "an internal error", match: isList, strike: answer(INTERNAL), times: 3 },
    { fault: "a request to come back later", match: isList, strike: BUSY, times: 1 },
    { fault: "a gateway's own words", match: isList, strike: HTML, times: 1 },
    { fault: "half of a page", match: isList, strike: CUT_JSON, times: 1 },
    {
      fault: "a continue token that expired",
      match: isLaterPage,
      strike: answer(EXPIRED),
      times: 1,
    },
    {
      fault: "a bearer token that expired between two pages",
      match: isLaterPage,
      strike: answer(UNAUTHORIZED),
      times: 1,
    },
    { fault: "a reset between two pages", match: isLaterPage, strike: { kind: "reset" }, times: 1 },
    { fault: "characters cut in two", match: isList, strike: { kind: "shred" }, times: 3 },
  ])("after $fault", async ({ match, strike, times }) => {
    const following = await makeFollowing(cluster);
    const hits = following.proxy.fault(match, strike, times);

    await following.start().synced;

    expect(hits()).toBe(times);
    expect(following.store.size).toBe(12);
    await makeChanges(following);
    await expectFollowed(following);
  });
});

test("the first list is whole although every continue token expires", async () => {
  const following = await makeFollowing(cluster);
  following.proxy.fault(isLaterPage, answer(EXPIRED), 1e9);

  await following.start().synced;

  expect(following.store.size).toBe(12);
});

describe("a watch that fails is taken up again", () => {
  test.each<{ fault: string; strike: (watch: OpenWatch) => void }>([
    { fault: "a connection reset", strike: (watch) => watch.reset() },
    { fault: "the server's time limit", strike: (watch) => watch.end() },
    { fault: "silence on an open connection", strike: (watch) => watch.stall() },
    { fault: "broken JSON", strike: (watch) => watch.inject('{"type":"ADDED","obj\n') },
    { fault: "bytes that are no UTF-8", strike: (watch) => watch.inject(Buffer.of(0xc3, 0x28)) },
    { fault: "a line that is no event", strike: (watch) => watch.inject("null\n") },
    { fault: "an event without an object", strike: (watch) => watch.inject('{"type":"ADDED"}\n') },
    { fault: "a version too old", strike: (watch) => watch.inject(errorEvent(EXPIRED)) },
    { fault: "an error in the stream", strike: (watch) => watch.inject(errorEvent(INTERNAL)) },
    {
      fault: "a reset within an event",
      strike(watch) {
        watch.inject('{"type":"ADDED","object":{"metadata":{"name":"gröss');
        watch.reset();
      },
    },
  ])("after $fault", async ({ strike }) => {
    const following = await makeFollowing(cluster);
    await following.start().synced;
    const watch = await openWatch(following);

    strike(watch);
    await makeChanges(following);

    await expectFollowed(following);
    expect(following.proxy.watches()).not.toContain(watch);
  });

  test.each<{ fault: string; strike: Fault; times: number }>([
    { fault: "resets", strike: { kind: "reset" }, times: 6 },
    { fault: "internal errors", strike: answer(INTERNAL), times: 6 },
    { fault: "requests to come back later", strike: BUSY, times: 1 },
    { fault: "a version too old", strike: answer(EXPIRED), times: 1 },
    { fault: "an expired bearer token", strike: answer(UNAUTHORIZED), times: 2 },
    { fault: "a gateway's own words", strike: HTML, times: 2 },
    { fault: "an empty stream", strike: { kind: "answer", status: 200, body: "" }, times: 6 },
    { fault: "a request that is never answered", strike: { kind: "hang" }, times: 1 },
  ])("after its renewal met $fault", async ({ strike, times }) => {
    const following = await makeFollowing(cluster);
    await following.start().synced;
    const watch = await openWatch(following);
    const hits = following.proxy.fault(isWatch, strike, times);

    watch.reset();
    await makeChanges(following);
    await vi.waitFor(() => expect(hits()).toBe(times), { timeout: 10_000 });
    await openWatch(following);
    await makeChanges(following, 1);

    await expectFollowed(following);
  });

  test("no sooner than the server asked for, within the longest delay", async () => {
    const following = await makeFollowing(cluster);
    following.proxy.fault(isList, BUSY);

    await following.start({ backoff: { baseMs: 1, maxMs: 50 } }).synced;

    const loss = following.log.lines.find(({ message }) => message === "Watch lost");
    expect(loss?.fields).toMatchObject({ delayMs: 50 });
  });

  test("with characters cut in two", async () => {
    const following = await makeFollowing(cluster);
    const hits = following.proxy.fault(isWatch, { kind: "shred" });
    await following.start().synced;
    await openWatch(following);

    await makeChanges(following);

    await expectFollowed(following);
    expect(hits()).toBe(1);
    expect(lossesOf(following)).toEqual([]);
  });

  test("from its last event, without a new list", async () => {
    const following = await makeFollowing(cluster);
    await following.start().synced;
    const { seen } = following.proxy;
    const lists = seen.filter(isList).length;

    for (let round = 0; round < 3; round += 1) {
      const watch = await openWatch(following);
      watch.reset();
      await makeChanges(following, round);
      await expectFollowed(following);
    }

    expect(seen.filter(isList)).toHaveLength(lists);
    const versions = seen.filter(isWatch).map(({ url }) => /resourceVersion=(\d+)/.exec(url)?.[1]);
    expect(new Set(versions).size).toBeGreaterThan(1);
  });

  test("by a new list when the stream said that something went wrong", async () => {
    const following = await makeFollowing(cluster);
    await following.start().synced;
    const watch = await openWatch(following);
    const lists = following.proxy.seen.filter(isList).length;

    watch.inject(errorEvent(INTERNAL));

    await vi.waitFor(() => expect(following.proxy.seen.filter(isList)).toHaveLength(2 * lists));
    await expectFollowed(following);
  });
});

describe("nothing is lost", () => {
  test("in an outage", async () => {
    const following = await makeFollowing(cluster);
    await following.start().synced;
    await openWatch(following);

    await following.proxy.close();
    await makeChanges(following);
    await following.proxy.reopen();

    await expectFollowed(following);
    expect(lossesOf(following)).toContainEqual(expect.any(ConnectionError));
  });

  test("when the API server is killed and started again", async () => {
    const following = await makeFollowing(cluster);
    await following.start().synced;
    await openWatch(following);

    await cluster.plane.stopApiServer();
    await cluster.plane.startApiServer();
    await makeChanges(following);

    await expectFollowed(following);
    expect(lossesOf(following)).toContainEqual(expect.any(ConnectionError));
  });

  test("when the API server has forgotten the version at which the watch was lost", async () => {
    const following = await makeFollowing(cluster);
    await following.start({ stallMs: 60_000 }).synced;
    const watch = await openWatch(following);

    watch.stall();
    await makeChanges(following);
    await cluster.plane.restartApiServer();
    await makeChanges(following, 1);
    watch.reset();

    await expectFollowed(following);
    expect(lossesOf(following).filter((error) => isGone(error))).toHaveLength(1);
  });

  test("when the API server stops answering for a while on open connections", async () => {
    const following = await makeFollowing(cluster);
    await following.start().synced;
    await openWatch(following);

    cluster.plane.pauseApiServer();
    try {
      await vi.waitFor(() => expect(lossesOf(following)).not.toHaveLength(0), { timeout: 10_000 });
    } finally {
      cluster.plane.resumeApiServer();
    }
    await makeChanges(following);

    await expectFollowed(following);
  });

  test("when an object was replaced by one of the same name unseen", async () => {
    const following = await makeFollowing(cluster);
    await following.start().synced;
    await openWatch(following);
    const before = following.store.get(following.namespace, "m-3");

    following.proxy.fault(isWatch, answer(EXPIRED));
    await following.proxy.close();
    await makeChanges(following);
    await following.proxy.reopen();

    await expectFollowed(following);
    const told = following.changes.filter(({ object }) => object.metadata?.name === "m-3");
    expect(told).toEqual([
      { type: "added", object: before },
      { type: "deleted", object: before },
      { type: "added", object: following.store.get(following.namespace, "m-3") },
    ]);
  });

  test("when the kind itself is away for a moment", async () => {
    const following = await makeFollowing(cluster);
    await following.start().synced;
    const watch = await openWatch(following);
    const hits = following.proxy.fault(() => true, answer(NOT_FOUND), 5);

    watch.reset();
    await vi.waitFor(() => expect(hits()).toBe(5), { timeout: 10_000 });

    await expectFollowed(following);
    expect(following.changes.filter(({ type }) => type !== "added")).toEqual([]);
  });

  test("when handlers throw or reject", async () => {
    const following = await makeFollowing(cluster);
    let calls = 0;
    const informer = following.start({
      onChange() {
        calls += 1;
        if (calls % 2 === 0) throw new Error("The handler is broken");
        return Promise.reject(new Error("The handler is broken later"));
      },
    });
    await informer.synced;
    await openWatch(following);

    await makeChanges(following);
    await vi.waitFor(() => expect(calls).toBe(12 + 5));

    expect(following.store.get(following.namespace, "new-0")).toBeDefined();
    const reports = following.log.lines.filter(({ message }) => message.startsWith("Handler"));
    expect(reports).toHaveLength(12 + 5);
  });

  test("under faults at random, one upon another", async () => {
    const following = await makeFollowing(cluster);
    await following.start().synced;
    const random = sequence(20_261_123);
    const pick = <T>(choices: readonly T[]): T =>
      choices[Math.floor(random() * choices.length)] as T;
    const { proxy } = following;
    const faults: readonly Fault[] = [
      { kind: "reset" },
      { kind: "lose-answer" },
      { kind: "shred" },
      { kind: "hang" },
      answer(EXPIRED),
      answer(INTERNAL),
      answer(UNAUTHORIZED),
      CUT_JSON,
      HTML,
    ];
    const strikes: readonly ((watch: OpenWatch) => void)[] = [
      (watch) => watch.reset(),
      (watch) => watch.end(),
      (watch) => watch.stall(),
      (watch) => watch.inject("{}\n"),
      (watch) => watch.inject(errorEvent(EXPIRED)),
    ];

    const hits = Array.from({ length: 40 }, () => {
      const fault = pick(faults);
      // A list that hangs would last for its whole time limit.
      return proxy.fault(fault.kind === "hang" ? isWatch : () => true, fault);
    });
    for (let round = 0; round < 60; round += 1) {
      for (const watch of proxy.watches()) pick(strikes)(watch);
      if (round % 10 === 5) await proxy.close();
      await makeChanges(following, round);
      if (round % 10 === 5) await proxy.reopen();
    }

    await expectFollowed(following);
    expect(hits.reduce((sum, count) => sum + count(), 0)).toBeGreaterThan(10);
  });
});

describe("an informer that is stopped", () => {
  test("leaves nothing open and tells nothing more", async () => {
    const following = await makeFollowing(cluster);
    const informer = following.start();
    await informer.synced;
    await openWatch(following);

    following.stop.abort();
    await informer.stopped;
    await vi.waitFor(() => expect(following.proxy.watches()).toEqual([]));
    await makeChanges(following);

    expect(following.changes).toHaveLength(12);
    expect(following.store.size).toBe(12);
  });

  test("before its first list says so", async () => {
    const following = await makeFollowing(cluster);
    following.proxy.fault(() => true, { kind: "hang" });
    const informer = following.start();

    following.stop.abort(new Error("Shutting down"));

    await expect(informer.synced).rejects.toThrow("Shutting down");
    expect(informer.hasSynced()).toBe(false);
    await informer.stopped;
  });
});

test("stored objects have a type, even from a list, and nobody can change them", async () => {
  const following = await makeFollowing(cluster);
  await following.start().synced;

  const object = following.store.get(following.namespace, "m-1");

  expect(object).toMatchObject({ apiVersion: "v1", kind: "ConfigMap" });
  expect(() => Object.assign(object?.data ?? {}, { text: "changed" })).toThrow("read only");
});

function lossesOf({ log }: Following): unknown[] {
  return log.lines
    .filter(({ message }) => message === "Watch lost")
    .map(({ fields }) => fields.err);
}

function answer(status: { readonly code: number }): Fault {
  return { kind: "answer", status: status.code, body: status };
}

function errorEvent(status: object): string {
  return `${JSON.stringify({ type: "ERROR", object: status })}\n`;
}

function isLaterPage(request: Seen): boolean {
  return isList(request) && request.url.includes("continue=");
}

/** The same numbers from 0 to 1 in every run. */
function sequence(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return state / 2 ** 32;
  };
}
