import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { makePagedServer } from "../../test/make/paged-server.ts";
import { createAdmissionStores } from "../gather/admission-stores.ts";
import { createStores } from "../gather/stores.ts";
import { BATCH_JOB } from "../jobs/kinds.ts";
import type { Logger } from "../telemetry/logger.ts";
import { startKindWatches } from "./kind-watches.ts";

function ignore(): void {}

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

/** The watches of batch Jobs, whose first list ends as this does. */
function start(synced: Promise<void>) {
  const errors: unknown[] = [];
  const log: Logger = {
    debug: ignore,
    info: ignore,
    warn: ignore,
    error: (fields: unknown) => void errors.push(fields),
  };
  const stop = new AbortController();
  const watches = startKindWatches(
    createStores(createAdmissionStores(), [BATCH_JOB]).exporters,
    () => ({ synced, stopped: Promise.resolve() }),
    { api: makePagedServer([[]]), log, signal: stop.signal },
  );
  return { synced: watches.synced, errors, stop };
}

test("a kind that can not be listed keeps the others waiting for half a minute, and is an error then", async () => {
  const { synced, errors, stop } = start(new Promise<void>(ignore));
  let isSynced = false;
  void synced.then(() => void (isSynced = true));
  await vi.advanceTimersByTimeAsync(29_000);
  expect(isSynced).toBe(false);
  expect(errors).toEqual([]);
  await vi.advanceTimersByTimeAsync(2000);
  expect(isSynced).toBe(true);
  expect(errors).toEqual([{ what: "jobs.batch" }]);
  stop.abort(new Error("the test is over"));
});

test("a kind that goes before it was listed keeps nobody waiting, and fails nothing", async () => {
  const { synced, errors, stop } = start(Promise.reject(new Error("the kind has gone")));
  await expect(synced).resolves.toBeUndefined();
  expect(errors).toEqual([]);
  stop.abort(new Error("the test is over"));
});

test("what ends before it has listed everything says why", async () => {
  const { synced, stop } = start(Promise.reject(new Error("stopped")));
  stop.abort(new Error("stopped"));
  await expect(synced).rejects.toThrow("stopped");
});
