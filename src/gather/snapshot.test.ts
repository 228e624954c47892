import { describe, expect, test } from "vitest";
import { makeModel } from "../../test/make/model.ts";
import { makeBinding } from "../../test/make/modelbinding.ts";
import { makeBuiltVersion } from "../../test/make/modelversion.ts";
import { makeGatedPod, makePod, makeUsingPod, type MadePod } from "../../test/make/pod.ts";
import { makeRequest } from "../../test/make/request.ts";
import { makePolicy } from "../../test/make/snapshot.ts";
import { ANNOTATIONS } from "../api/annotations.ts";
import type { KubeObject } from "../api/kube-types.ts";
import type { ApiServer } from "../kube/client.ts";
import { createAdmissionStores, type AdmissionStores } from "./admission-stores.ts";
import { gatherSnapshot } from "./snapshot.ts";

const WANTED = { model: "mnist" };
const OWNER = {
  apiVersion: "apps/v1",
  kind: "ReplicaSet",
  name: "web-1",
  uid: "rs",
  controller: true,
};

function owned(pod: MadePod): void {
  pod.metadata.ownerReferences = [OWNER];
}

const ASKS = makePod((pod) => {
  owned(pod);
  pod.metadata.annotations = { [ANNOTATIONS.model]: "mnist" };
});
const SIBLING = makeUsingPod(
  (pod) => {
    owned(pod);
    pod.metadata.name = "web-1-a";
  },
  { wanted: WANTED },
);
const WAITING = makeGatedPod((pod) => {
  owned(pod);
  pod.metadata.name = "web-1-b";
});

/** An API server that lists these objects, or answers nothing when there are none. */
function serverWith(items?: readonly KubeObject[]): {
  readonly api: ApiServer;
  readonly asked: readonly string[];
} {
  const asked: string[] = [];
  const api: ApiServer = {
    url: "https://api.example",
    async request<T>(_method: string, path: string) {
      asked.push(path);
      if (items === undefined) throw new Error("busy");
      return Promise.resolve({ metadata: { resourceVersion: "1" }, items } as T);
    },
    stream: async () => Promise.reject(new Error("nobody watches here")),
    close: async () => Promise.resolve(),
  };
  return { api, asked };
}

function storesWith(...served: readonly MadePod[]): AdmissionStores {
  const stores = createAdmissionStores();
  stores.models.set(makeModel());
  stores.versions.set(makeBuiltVersion());
  for (const pod of served) stores.served.set(pod);
  return stores;
}

async function gather(pod: MadePod, api: ApiServer, stores: AdmissionStores, isBound = false) {
  return gatherSnapshot(makeRequest(pod), {
    api,
    stores,
    policy: makePolicy(),
    standby: false,
    isBound,
    now: () => 0,
    signal: new AbortController().signal,
  });
}

describe("the siblings of a pod", () => {
  test("are those of the cache, where one of them has its model", async () => {
    const { api, asked } = serverWith();
    const { siblings } = await gather(ASKS, api, storesWith(SIBLING));
    expect(siblings).toEqual([SIBLING]);
    expect(asked).toEqual([]);
  });

  test.each<[string, readonly MadePod[]]>([
    ["shows none", []],
    ["shows only such as wait", [WAITING]],
  ])("are asked for where the cache %s", async (_, cached) => {
    const { api, asked } = serverWith([SIBLING, makeUsingPod()]);
    const { siblings } = await gather(ASKS, api, storesWith(...cached));
    expect(siblings.map(({ metadata }) => metadata?.name)).toEqual(["web-1-a"]);
    expect(asked).toEqual(["/api/v1/namespaces/team-a/pods"]);
  });

  test("must be known: without an answer there is no decision", async () => {
    await expect(gather(ASKS, serverWith().api, storesWith())).rejects.toThrow("busy");
  });

  test("do not matter to a pod that names its version", async () => {
    const named = makePod((pod) => {
      owned(pod);
      pod.metadata.annotations = { [ANNOTATIONS.modelVersion]: "mnist-v1" };
    });
    const { api, asked } = serverWith();
    await gather(named, api, storesWith());
    expect(asked).toEqual([]);
  });
});

describe("the bindings of a labelled namespace", () => {
  const bound = makePod((pod) => void (pod.metadata.labels = { app: "web" }));

  test("are those of the cache, where one of them selects the pod", async () => {
    const { api, asked } = serverWith();
    const stores = storesWith();
    stores.bindings.set(makeBinding());
    const { bindings, injectionEnabled } = await gather(bound, api, stores, true);
    expect([bindings, injectionEnabled]).toEqual([[makeBinding()], true]);
    expect(asked).toEqual([]);
  });

  test("are asked for where none does: one may have been made a moment ago", async () => {
    const { api, asked } = serverWith([makeBinding()]);
    const { bindings, versions } = await gather(bound, api, storesWith(), true);
    expect(bindings).toMatchObject([{ metadata: { name: "web" } }]);
    expect(Object.keys(versions)).toEqual(["mnist-v1"]);
    expect(asked).toEqual(["/apis/model.kubedl.io/v1alpha1/namespaces/team-a/modelbindings"]);
  });

  test("must be known: without an answer there is no decision", async () => {
    await expect(gather(bound, serverWith().api, storesWith(), true)).rejects.toThrow("busy");
  });

  test("are not in effect in another", async () => {
    const stores = storesWith();
    stores.bindings.set(makeBinding());
    const { bindings } = await gather(bound, serverWith().api, stores);
    expect(bindings).toEqual([]);
  });
});
