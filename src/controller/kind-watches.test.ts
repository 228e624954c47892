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

test("a kind that can not be listed keeps the others waiting for half a minute, and is an error then", async () => {
  const errors: unknown[] = [];
  const log: Logger = {
    debug: ignore,
    info: ignore,
    warn: ignore,
    error: (fields: unknown) => void errors.push(fields),
  };
  const stop = new AbortController();
  const never = new Promise<void>(ignore);
  const watches = startKindWatches(
    createStores(createAdmissionStores(), [BATCH_JOB]).exporters,
    () => ({ synced: never, stopped: Promise.resolve() }),
    { api: makePagedServer([[]]), log, signal: stop.signal },
  );
  let isSynced = false;
  void watches.synced.then(() => void (isSynced = true));
  await vi.advanceTimersByTimeAsync(29_000);
  expect(isSynced).toBe(false);
  expect(errors).toEqual([]);
  await vi.advanceTimersByTimeAsync(2000);
  expect(isSynced).toBe(true);
  expect(errors).toEqual([{ what: "jobs.batch" }]);
  stop.abort(new Error("the test is over"));
});
