import { expect, test } from "vitest";
import { makeBinding } from "../../test/make/modelbinding.ts";
import { makePagedServer } from "../../test/make/paged-server.ts";
import { makePod, makeServingPod } from "../../test/make/pod.ts";
import { makePolicy } from "../../test/make/snapshot.ts";
import type { Limits } from "../admission/limits.ts";
import { createAdmissionStores } from "../gather/admission-stores.ts";
import { createStores } from "../gather/stores.ts";
import { JOB_KINDS } from "../jobs/kinds.ts";
import type { Action } from "../reconcile/action.ts";
import { injectionReconcilers } from "./injection-reconcilers.ts";

const { signal } = new AbortController();
const PAUSE = [{ type: "requeueAfter", ms: 5_000 }];

/** Reconcilers over a cluster with one binding and these running pods, and what they told the metrics. */
function setUp(pages: readonly (readonly object[])[]) {
  const stores = createStores(createAdmissionStores(), JOB_KINDS);
  stores.bindings.set(makeBinding());
  stores.namespaces.set({ metadata: { name: "team-a" } });
  const clock = { now: 0 };
  const told: string[] = [];
  const api = makePagedServer(pages);
  const reconcilers = injectionReconcilers(
    {
      api,
      stores,
      limits: () => ({ policy: makePolicy() }) as Limits,
      now: () => clock.now,
    },
    {
      metrics: { notInjected: (askedBy, pods) => void told.push(`${askedBy} ${pods}`) },
      everyMs: 60_000,
    },
  );
  async function pass(reconciler: string, name: string): Promise<readonly Action[]> {
    const found = reconcilers.find((each) => each.name === reconciler);
    return (await found?.reconcile({ namespace: "team-a", name }, signal)) ?? [];
  }
  return { api, stores, clock, told, pass };
}

function reasons(actions: readonly Action[]): readonly string[] {
  return actions.map((action) => (action.type === "event" ? action.reason : action.type));
}

const selected = makePod(({ metadata }) => void (metadata.labels = { app: "web" }));

test("a binding's running pods without their model are counted until the binding is gone", async () => {
  const { stores, told, pass } = setUp([[selected], [selected]]);
  expect(reasons(await pass("modelbinding", "web"))).toEqual([
    "status",
    "InjectionMissed",
    "requeueAfter",
  ]);
  stores.bindings.remove(makeBinding());
  expect(await pass("modelbinding", "web")).toEqual([]);
  expect(told).toEqual(["binding 2", "binding 0"]);
});

test("pods of several bindings count together", async () => {
  const { stores, told, pass } = setUp([[selected]]);
  stores.bindings.set(
    makeBinding((each) => {
      each.metadata.name = "api";
      each.spec.selector = { matchLabels: { tier: "api" } };
    }),
  );
  await pass("modelbinding", "web");
  // The server answers every list with the same pod, which this one does not select.
  await pass("modelbinding", "api");
  expect(told).toEqual(["binding 1", "binding 1"]);
});

test("a binding is looked at again after a pause at the earliest, however often it changes", async () => {
  const { api, clock, pass } = setUp([]);
  await pass("modelbinding", "web");
  clock.now = 4_999;
  expect(await pass("modelbinding", "web")).toEqual(PAUSE);
  expect(api.asked).toHaveLength(1);
  clock.now = 5_000;
  await pass("modelbinding", "web");
  expect(api.asked).toHaveLength(2);
});

test("pods that asked by themselves are counted at every look, told once, and looked for again in time", async () => {
  const [one, other] = ["1", "2"].map((uid) =>
    makeServingPod(({ metadata }) => void (metadata.uid = uid)),
  );
  const { told, pass } = setUp([[one ?? {}, selected], [other ?? {}]]);
  const again = { type: "requeueAfter", ms: 60_000 };
  const first = await pass("injection-drift", "pods");
  expect(reasons(first)).toEqual(["InjectionMissed", "InjectionMissed", "requeueAfter"]);
  expect(first.at(-1)).toEqual(again);
  expect(await pass("injection-drift", "pods")).toEqual([again]);
  expect(told).toEqual(["annotation 2", "annotation 2"]);
});
