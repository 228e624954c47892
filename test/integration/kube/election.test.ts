import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import type { KubeObject } from "../../../src/api/kube-types.ts";
import { connect, type ApiServer } from "../../../src/kube/client.ts";
import { runElection, type Election, type ElectionOptions } from "../../../src/kube/election.ts";
import { resources } from "../../../src/kube/resources.ts";
import { get, mergePatch, remove } from "../../../src/kube/write.ts";
import { startFaultyProxy, type Fault, type FaultyProxy } from "../../faults/proxy.ts";
import { makeLog, useCluster } from "./cluster.ts";

const cluster = useCluster();
/** In the proportions of the defaults, but short. */
const TIMES = { leaseDurationMs: 3_000, renewDeadlineMs: 2_000, retryPeriodMs: 200 };
/** Long enough that nobody can wait for the end of a lease within a test. */
const ENDLESS = { leaseDurationMs: 600_000, renewDeadlineMs: 500_000, retryPeriodMs: 200 };
const name = "election";

interface Candidate {
  readonly id: string;
  readonly election: Election;
  readonly stop: AbortController;
}

/** The candidates of one test and a record of who worked when. */
interface Poll {
  readonly namespace: string;
  /** Ids in the order in which their terms began. */
  readonly terms: readonly string[];
  /** Those whose work runs now. */
  readonly working: ReadonlySet<string>;
  /** The most that ever worked, or called themselves leader, at once. */
  most(): number;
  start(id: string, options?: Partial<ElectionOptions>): Candidate;
}

async function makePoll(): Promise<Poll> {
  const namespace = await cluster.makeNamespace();
  const terms: string[] = [];
  const working = new Set<string>();
  const candidates: Candidate[] = [];
  let most = 0;
  const count = (): void => {
    const calling = candidates.filter(({ election }) => election.isLeader()).length;
    most = Math.max(most, working.size, calling);
  };
  const sampler = setInterval(count, 5);
  onTestFinished(async () => {
    clearInterval(sampler);
    for (const { stop } of candidates) stop.abort();
    await Promise.all(candidates.map(async ({ election }) => election.stopped));
  });
  return {
    namespace,
    terms,
    working,
    most: () => most,
    start(id, options = {}) {
      const stop = new AbortController();
      const election = runElection({
        api: cluster.api,
        namespace,
        name,
        identity: id,
        ...TIMES,
        async onStarted(signal) {
          terms.push(id);
          working.add(id);
          count();
          await options.onStarted?.(signal);
          await aborted(signal);
          working.delete(id);
        },
        log: makeLog(),
        signal: stop.signal,
        ...withoutWork(options),
      });
      const candidate = { id, election, stop };
      candidates.push(candidate);
      return candidate;
    },
  };
}

async function makeProxy(): Promise<{ proxy: FaultyProxy; api: ApiServer }> {
  const { plane, directory } = cluster;
  const proxy = await startFaultyProxy({ kubeconfig: plane.kubeconfig, directory });
  const api = await connect({ kubeconfigPath: proxy.kubeconfig });
  // Hooks run last first: the candidates have stopped by then.
  onTestFinished(async () => {
    await api.close();
    await proxy.stop();
  });
  return { proxy, api };
}

describe("of several candidates", () => {
  test("one leads, and the next does as soon as it has stopped", async () => {
    const poll = await makePoll();
    const first = poll.start("first", ENDLESS);
    await until(() => first.election.isLeader());
    const second = poll.start("second", ENDLESS);

    first.stop.abort();
    await first.election.stopped;

    await until(() => second.election.isLeader());
    expect(poll.terms).toEqual(["first", "second"]);
    expect(poll.most()).toBe(1);
  });

  test("the next waits until the leader's work has stopped, however long that takes", async () => {
    const poll = await makePoll();
    const work = Promise.withResolvers<void>();
    const first = poll.start("first", {
      async onStarted(signal) {
        await aborted(signal);
        await work.promise;
      },
    });
    await until(() => first.election.isLeader());
    poll.start("second");

    first.stop.abort();
    await sleep(2 * TIMES.leaseDurationMs);
    expect(poll.terms).toEqual(["first"]);
    work.resolve();

    await until(() => poll.working.has("second"));
    expect(poll.most()).toBe(1);
  });

  test("another leads when the leader's process is killed", async () => {
    const poll = await makePoll();
    const script = join(import.meta.dirname, "candidate.ts");
    const { kubeconfig } = cluster.plane;
    const mortal = spawn(process.execPath, [script, kubeconfig, poll.namespace, name]);
    onTestFinished(() => void mortal.kill("SIGKILL"));
    await once(mortal.stdout, "data");
    poll.start("heir");

    mortal.kill("SIGKILL");

    await until(() => poll.working.has("heir"));
    expect(await holderOf(poll)).toMatch(/^heir_/);
  });

  test("one leads although all have the same name", async () => {
    const poll = await makePoll();
    for (const _ of ["one", "two", "three"]) poll.start("same");

    await until(() => poll.terms.length > 0);
    await sleep(TIMES.leaseDurationMs);

    expect(poll.terms).toHaveLength(1);
    expect(poll.most()).toBe(1);
  });
});

describe("a leader that cannot renew", () => {
  test.each<{ cause: string; strike: (proxy: FaultyProxy) => unknown }>([
    { cause: "its connections are refused", strike: async (proxy) => proxy.close() },
    { cause: "nothing is answered", strike: (proxy) => proxy.fault(always, { kind: "hang" }, 1e9) },
    {
      cause: "answers are lost",
      strike: (proxy) => proxy.fault(isPut, { kind: "lose-answer" }, 1e9),
    },
    { cause: "the server fails", strike: (proxy) => proxy.fault(always, failure(500), 1e9) },
    { cause: "its rights are gone", strike: (proxy) => proxy.fault(always, failure(403), 1e9) },
  ])("stops before another starts: $cause", async ({ strike }) => {
    const poll = await makePoll();
    const { proxy, api } = await makeProxy();
    const first = poll.start("cut off", { api });
    await until(() => first.election.isLeader());
    poll.start("healthy");

    await strike(proxy);
    await until(() => !poll.working.has("cut off"));
    // Writes whose answers are lost still hold the lease until the candidate gives up.
    first.stop.abort();

    await until(() => poll.working.has("healthy"));
    expect(poll.most()).toBe(1);
    expect(poll.terms).toEqual(["cut off", "healthy"]);
  });

  test("goes on leading when the outage is shorter than its deadline", async () => {
    const poll = await makePoll();
    const { proxy, api } = await makeProxy();
    const leader = poll.start("leader", { api, ...ENDLESS });
    await until(() => leader.election.isLeader());
    poll.start("other", ENDLESS);
    const before = await renewalOf(poll);

    await proxy.close();
    await sleep(3 * TIMES.retryPeriodMs);
    await proxy.reopen();

    await vi.waitFor(async () => expect(await renewalOf(poll)).not.toBe(before), {
      timeout: 10_000,
    });
    expect(poll.terms).toEqual(["leader"]);
  });
});

describe("a lease in other hands", () => {
  test("ends the term, and nobody leads until its holder falls silent", async () => {
    const poll = await makePoll();
    poll.start("first", ENDLESS);
    poll.start("second", ENDLESS);
    await until(() => poll.terms.length === 1);

    for (let renewal = 0; renewal < 20; renewal += 1) {
      const spec = { holderIdentity: "thief", leaseDurationSeconds: 1, leaseTransitions: renewal };
      await mergePatch(
        cluster.api,
        resources.leases,
        { namespace: poll.namespace, name },
        { spec },
      );
      await sleep(100);
    }
    expect(poll.working).toEqual(new Set());
    expect(poll.terms).toHaveLength(1);

    await until(() => poll.terms.length === 2);
    expect(poll.most()).toBe(1);
  });

  test("that was deleted is made again by the leader, not taken by another", async () => {
    const poll = await makePoll();
    const leader = poll.start("leader", { retryPeriodMs: 1_000 });
    await until(() => leader.election.isLeader());
    poll.start("other");
    // The other has seen the lease before it disappears.
    await sleep(2 * TIMES.retryPeriodMs);

    await remove(cluster.api, resources.leases, { namespace: poll.namespace, name });

    await vi.waitFor(async () => expect(await holderOf(poll)).toMatch(/^leader_/), {
      timeout: 10_000,
    });
    expect(poll.terms).toEqual(["leader"]);
    expect(poll.most()).toBe(1);
  });
});

test("work that fails gives the lease away and may lead again later", async () => {
  const poll = await makePoll();
  const log = makeLog();
  let attempts = 0;
  const onStopped = vi.fn<() => void>();
  runElection({
    api: cluster.api,
    namespace: poll.namespace,
    name,
    identity: "clumsy",
    ...ENDLESS,
    async onStarted(signal) {
      attempts += 1;
      if (attempts === 1) throw new Error("The work is broken");
      await aborted(signal);
    },
    onStopped,
    log,
    signal: AbortSignal.timeout(2_000),
  });

  await until(() => attempts === 2);
  expect(onStopped).toHaveBeenCalledTimes(1);
  expect(log.lines.map(({ message }) => message)).toContain("The leader's work failed");
});

test("a candidate stops although the API server is away", async () => {
  const poll = await makePoll();
  const { proxy, api } = await makeProxy();
  const candidate = poll.start("lonely", { api });
  await until(() => candidate.election.isLeader());
  await proxy.close();

  candidate.stop.abort();

  await candidate.election.stopped;
  expect(candidate.election.isLeader()).toBe(false);
});

test("never two lead under faults at random, and in the end one does", async () => {
  const poll = await makePoll();
  const faults: readonly Fault[] = [
    { kind: "reset" },
    { kind: "lose-answer" },
    { kind: "hang" },
    failure(429),
    failure(500),
  ];
  const proxies: FaultyProxy[] = [];
  for (const id of ["a", "b", "c"]) {
    const { proxy, api } = await makeProxy();
    proxies.push(proxy);
    poll.start(id, { api, leaseDurationMs: 1_000, renewDeadlineMs: 600, retryPeriodMs: 50 });
  }

  for (let round = 0; round < 48; round += 1) {
    const proxy = proxies[round % 3];
    const fault = faults[round % faults.length];
    if (proxy === undefined || fault === undefined) throw new Error("There are three proxies");
    // Every third round hits the same candidate long enough to cost its term.
    proxy.fault(always, fault, round % 4 === 0 ? 20 : 2);
    await sleep(100);
  }

  await until(() => poll.working.size === 1);
  expect(poll.most()).toBe(1);
  expect(new Set(poll.terms).size).toBeGreaterThan(1);
});

test.each([
  { leaseDurationMs: 10_000, renewDeadlineMs: 10_000, retryPeriodMs: 2_000 },
  { leaseDurationMs: 15_000, renewDeadlineMs: 2_000, retryPeriodMs: 2_000 },
])("times that could make two leaders are refused: %o", (times) => {
  const { signal } = new AbortController();
  const options = { api: cluster.api, namespace: "default", name, identity: "x", log: makeLog() };

  expect(() => runElection({ ...options, ...times, signal, onStarted: async () => {} })).toThrow(
    "must outlast",
  );
});

async function until(condition: () => boolean): Promise<void> {
  await vi.waitFor(() => expect(condition()).toBe(true), { timeout: 20_000, interval: 10 });
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, "abort");
}

interface Lease extends KubeObject {
  readonly spec: { readonly holderIdentity?: string; readonly renewTime?: string };
}

async function leaseOf({ namespace }: Poll): Promise<Lease["spec"]> {
  return (await get<Lease>(cluster.api, resources.leases, { namespace, name })).spec;
}

async function holderOf(poll: Poll): Promise<string | undefined> {
  return (await leaseOf(poll)).holderIdentity;
}

async function renewalOf(poll: Poll): Promise<string | undefined> {
  return (await leaseOf(poll)).renewTime;
}

function withoutWork(options: Partial<ElectionOptions>): Partial<ElectionOptions> {
  const { onStarted: _, ...others } = options;
  return others;
}

function always(): boolean {
  return true;
}

function isPut({ method }: { readonly method: string }): boolean {
  return method === "PUT";
}

function failure(status: number): Fault {
  return { kind: "answer", status, body: { kind: "Status", code: status } };
}
