import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, test, vi } from "vitest";
import { makeDefinitionOfKubeDl, makeKubeDl, makeKubeDlObserved } from "../../test/make/kubedl.ts";
import type { Action } from "../reconcile/action.ts";
import type { KubeDlObserved } from "../reconcile/kubedl.ts";
import { startStandby } from "./standby.ts";

const LIVE = makeKubeDlObserved([makeKubeDl()]);
const ABSENT = makeKubeDlObserved();

let stopping = new AbortController();
afterEach(() => {
  stopping.abort(new Error("the test is over"));
  stopping = new AbortController();
});

function ignore(): void {}

/** Starts a standby that looks every millisecond, in a cluster that a test can change. */
function start(first: KubeDlObserved | Error, takeover = false) {
  const cluster = { seen: first, looks: 0 };
  const reasons: string[] = [];
  const warnings: string[] = [];
  const present: boolean[] = [];
  let ends = 0;
  const standby = startStandby({
    observe: async () => {
      cluster.looks += 1;
      if (cluster.seen instanceof Error) throw cluster.seen;
      return Promise.resolve(cluster.seen);
    },
    takeover,
    metrics: { kubeDlPresent: (is) => void present.push(is) },
    log: {
      debug: ignore,
      info: ignore,
      warn: (_fields, text) => void warnings.push(text ?? ""),
      error: ignore,
    },
    signal: stopping.signal,
    everyMs: 1,
  });
  standby.onEnd(() => (ends += 1), stopping.signal);
  const apply = async (actions: readonly Action[]) => {
    for (const action of actions) if (action.type === "event") reasons.push(action.reason);
    return Promise.resolve({ upToDate: true, requeueAfterMs: undefined });
  };
  /** Begins a term, in which the reasons of what is told are kept, until the signal. */
  const lead = (until: AbortSignal): void => standby.tellBy({ apply }, until);
  /** Waits until what is there now has been looked at. */
  const looked = async (): Promise<void> => {
    const { looks } = cluster;
    await vi.waitFor(() => expect(cluster.looks).toBeGreaterThan(looks + 1));
  };
  return { standby, cluster, lead, reasons, warnings, present, ends: () => ends, looked };
}

test("nothing is built until the first look, and then at once where there is no KubeDL", async () => {
  const { standby, lead, ends, looked, reasons, warnings } = start(ABSENT);
  lead(stopping.signal);
  expect(standby.isOn()).toBe(true);
  await looked();
  expect(standby.isOn()).toBe(false);
  expect(ends()).toBe(1);
  expect(reasons).toEqual([]);
  expect(warnings).toEqual([]);
});

test("standby begins when KubeDL comes, and ends when it goes, each said once in the log", async () => {
  const { standby, cluster, lead, ends, looked, reasons, warnings, present } = start(ABSENT);
  lead(stopping.signal);
  await looked();
  cluster.seen = LIVE;
  await looked();
  expect(standby.isOn()).toBe(true);
  expect(present.at(-1)).toBe(true);
  cluster.seen = ABSENT;
  await looked();
  expect(standby.isOn()).toBe(false);
  expect(present.at(-1)).toBe(false);
  expect(ends()).toBe(2);
  expect(new Set(reasons)).toEqual(new Set(["KubeDLPresent", "KubeDLGone"]));
  expect(reasons.filter((each) => each === "KubeDLGone")).toHaveLength(1);
  expect(warnings).toEqual([
    "KubeDL runs: standing by, nothing is built",
    "KubeDL is gone: building again",
  ]);
});

test("who takes over builds from the beginning, and says so in log and metric", async () => {
  const { standby, lead, looked, reasons, warnings, present } = start(LIVE, true);
  lead(stopping.signal);
  expect(standby.isOn()).toBe(false);
  await looked();
  expect(standby.isOn()).toBe(false);
  expect(present.at(-1)).toBe(true);
  expect(reasons).toEqual([]);
  expect(warnings).toEqual(["KubeDL runs, and is not heeded: serve --takeover"]);
});

test.each([
  ["begun", LIVE, true],
  ["not begun", ABSENT, false],
])("standby that has %s stays so while nothing can be seen", async (_what, first, isOn) => {
  const { standby, cluster, looked } = start(first);
  await looked();
  cluster.seen = new Error("forbidden");
  await looked();
  expect(standby.isOn()).toBe(isOn);
});

test("nothing is built as long as nothing was ever seen", async () => {
  const { standby, cluster, looked } = start(new Error("forbidden"));
  await looked();
  expect(standby.isOn()).toBe(true);
  cluster.seen = ABSENT;
  await looked();
  expect(standby.isOn()).toBe(false);
});

test("definitions of KubeDL are named once in the log, since no status can be written under them", async () => {
  const { looked, warnings } = start(makeKubeDlObserved([], [makeDefinitionOfKubeDl()]));
  await looked();
  expect(warnings).toEqual(["Definitions are KubeDL's: no status can be written under them"]);
});

test("KubeDL is told of by the leader alone, who begins with what it has seen already", async () => {
  const { lead, looked, reasons } = start(LIVE);
  await looked();
  expect(reasons).toEqual([]);
  const term = new AbortController();
  lead(term.signal);
  expect(reasons).toEqual(["KubeDLPresent"]);
  await looked();
  expect(reasons.length).toBeGreaterThan(1);
  term.abort(new Error("the lease is lost"));
  const told = reasons.length;
  await looked();
  expect(reasons).toHaveLength(told);
});

test.each<[what: string, cluster: KubeDlObserved | Error, takeover: boolean, seen: boolean]>([
  ["runs is seen", LIVE, false, true],
  ["runs, and is not heeded, is none that builds", LIVE, true, false],
  ["is absent is not seen", ABSENT, false, false],
  [
    "nobody can look for is not seen, though nothing is built",
    new Error("forbidden"),
    false,
    false,
  ],
])("a KubeDL that %s", async (_what, cluster, takeover, seen) => {
  const { standby, looked } = start(cluster, takeover);
  expect(standby.isSeen()).toBe(false);
  await looked();
  expect(standby.isSeen()).toBe(seen);
});

test("a KubeDL that was seen stays so while nothing can be seen", async () => {
  const { standby, cluster, looked } = start(LIVE);
  await looked();
  cluster.seen = new Error("forbidden");
  await looked();
  expect(standby.isSeen()).toBe(true);
});

test("a process that stops looks no more, and sees no KubeDL", async () => {
  const { standby, cluster, looked, present } = start(LIVE);
  await looked();
  stopping.abort(new Error("the process stops"));
  await standby.stopped;
  const { looks } = cluster;
  await sleep(5);
  expect(cluster.looks).toBe(looks);
  expect(present.at(-1)).toBe(false);
});
