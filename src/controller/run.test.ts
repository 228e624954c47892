import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, expect, test, vi } from "vitest";
import { makeModel } from "../../test/make/model.ts";
import { createAdmissionStores } from "../gather/admission-stores.ts";
import { createStores } from "../gather/stores.ts";
import { JOB_KINDS } from "../jobs/kinds.ts";
import type { ApiServer } from "../kube/client.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Target } from "./loop.ts";
import { runController } from "./run.ts";

const MODEL = makeModel();

let stopping = new AbortController();
afterEach(() => {
  stopping.abort(new Error("the test is over"));
  stopping = new AbortController();
});

function ignore(): void {}

/** An API server without objects, in which nothing ever changes. */
function makeQuietServer(): { readonly api: ApiServer; readonly listed: readonly string[] } {
  const listed: string[] = [];
  const api: ApiServer = {
    url: "https://api.example",
    async request<T>(_method: string, path: string) {
      listed.push(path);
      return Promise.resolve({ metadata: { resourceVersion: "1" }, items: [] } as T);
    },
    async stream(_path, _query, signal) {
      await sleep(60_000, undefined, { signal });
      throw new Error("nobody waits that long");
    },
    close: async () => Promise.resolve(),
  };
  return { api, listed };
}

/** Starts a term whose versions and models are known when `synced` resolves. */
function lead(synced: Promise<void>) {
  const { api, listed } = makeQuietServer();
  const admission = createAdmissionStores();
  admission.models.set(MODEL);
  const passes: Target[] = [];
  const log: Logger = { debug: ignore, info: ignore, warn: ignore, error: ignore };
  const ended = runController({
    api,
    stores: createStores(admission, JOB_KINDS),
    following: {
      synced,
      onVersion: ignore,
      onModel: ignore,
      onBinding: ignore,
      onNamespace: ignore,
    },
    onLimits: ignore,
    reconcilers: [
      {
        name: "model",
        async reconcile(target) {
          passes.push(target);
          return Promise.resolve([]);
        },
      },
    ],
    applier: { apply: async () => Promise.resolve({ upToDate: true, requeueAfterMs: undefined }) },
    standby: { onEnd: ignore },
    metrics: { reconciled: ignore },
    log,
    signal: stopping.signal,
  });
  return { ended, listed, passes };
}

test("a term begins its work when all versions are known, since a Model without them would lose its latest", async () => {
  const { promise: synced, resolve } = Promise.withResolvers<void>();
  const { listed, passes } = lead(synced);
  await vi.waitFor(() => expect(listed).toContain("/api/v1/persistentvolumeclaims"));
  await sleep(10);
  expect(passes).toEqual([]);
  resolve();
  await vi.waitFor(() => expect(passes).toEqual([{ namespace: "team-a", name: "mnist" }]));
});

test("a term ends though the versions never come", async () => {
  const { ended } = lead(new Promise(() => {}));
  stopping.abort(new Error("the lease is lost"));
  await expect(ended).resolves.toBeUndefined();
});
