import { onTestFinished, expect, vi } from "vitest";
import type { ConfigMap } from "../../../src/api/kube-types.ts";
import { connect, type ApiServer } from "../../../src/kube/client.ts";
import { startInformer, type Informer, type InformerOptions } from "../../../src/kube/informer.ts";
import { resources } from "../../../src/kube/resources.ts";
import { createStore, type Change, type Store } from "../../../src/kube/store.ts";
import { create, mergePatch, remove } from "../../../src/kube/write.ts";
import { startFaultyProxy, type FaultyProxy, type OpenWatch } from "../../faults/proxy.ts";
import { expectEqualToServer, makeLog, type Cluster, type MemoryLog } from "./cluster.ts";

/** Silence that these informers take for death; far longer than a healthy step takes, far shorter than a test. */
const STALL_MS = 2_000;
const labels = { watched: "yes" };
const labelSelector = "watched=yes";

/** ConfigMaps of one namespace, followed through a faulty proxy. */
export interface Following {
  readonly cluster: Cluster;
  readonly proxy: FaultyProxy;
  readonly namespace: string;
  readonly store: Store<ConfigMap>;
  readonly changes: readonly Change<ConfigMap>[];
  readonly log: MemoryLog;
  readonly stop: AbortController;
  /** Starts the informer; it stops with the test. */
  start(options?: Partial<InformerOptions<ConfigMap>>): Informer;
}

/** Prepares a namespace with twelve ConfigMaps, three pages, `m-0` to `m-11`, and a proxy; nothing follows them yet. */
export async function makeFollowing(cluster: Cluster): Promise<Following> {
  const namespace = await cluster.makeNamespace();
  for (let index = 0; index < 12; index += 1) await createMap(cluster.api, namespace, `m-${index}`);
  const proxy = await startFaultyProxy({
    kubeconfig: cluster.plane.kubeconfig,
    directory: cluster.directory,
  });
  const api = await connect({ kubeconfigPath: proxy.kubeconfig });
  const log = makeLog();
  const store = createStore<ConfigMap>();
  const changes: Change<ConfigMap>[] = [];
  const stop = new AbortController();
  let informer: Informer | undefined;
  onTestFinished(async () => {
    stop.abort();
    await informer?.stopped;
    await api.close();
    await proxy.stop();
  });
  return {
    cluster,
    proxy,
    namespace,
    store,
    changes,
    log,
    stop,
    start(options = {}) {
      informer = startInformer(api, resources.configmaps, {
        store,
        namespace,
        labelSelector,
        log,
        signal: stop.signal,
        pageSize: 5,
        stallMs: STALL_MS,
        backoff: { baseMs: 20, maxMs: 200 },
        onChange: (change) => void changes.push(change),
        ...options,
      });
      return informer;
    },
  };
}

/** Waits until the informer's watch is open and gives the proxy's handle on it. */
export async function openWatch({ proxy }: Following): Promise<OpenWatch> {
  return vi.waitFor(
    () => {
      const [watch] = proxy.watches();
      if (watch === undefined) throw new Error("No watch is open");
      return watch;
    },
    { timeout: 10_000 },
  );
}

/** One of each change, straight on the server: a new object, a new value, a deletion, a name that gets a new uid. */
export async function makeChanges(
  { cluster: { api }, namespace }: Following,
  round = 0,
): Promise<void> {
  const { configmaps } = resources;
  await createMap(api, namespace, `new-${round}`);
  await mergePatch(api, configmaps, { namespace, name: "m-1" }, { data: { text: `ü${round}` } });
  await remove(api, configmaps, { namespace, name: round === 0 ? "m-2" : `new-${round - 1}` });
  await remove(api, configmaps, { namespace, name: "m-3" });
  await createMap(api, namespace, "m-3");
}

/** Waits until the store equals the server, then replays the changes: they must tell how it came to that. */
export async function expectFollowed(following: Following): Promise<void> {
  const { store, cluster, namespace } = following;
  await expectEqualToServer(store, cluster.api, resources.configmaps, { namespace, labelSelector });
  expect(replay(following.changes)).toEqual(new Set(store.list()));
}

function replay(changes: readonly Change<ConfigMap>[]): Set<ConfigMap> {
  const known = new Map<string, ConfigMap>();
  for (const change of changes) {
    const { metadata } = change.object;
    const name = metadata?.name ?? "";
    const before = known.get(name);
    switch (change.type) {
      case "added":
        expect(before, `${name} was there when it was added`).toBeUndefined();
        known.set(name, change.object);
        break;
      case "updated":
        expect(change.previous, `${name} was another before its update`).toBe(before);
        expect(metadata?.uid).toBe(before?.metadata?.uid);
        known.set(name, change.object);
        break;
      case "deleted":
        expect(metadata?.uid, `${name} was not there when it was deleted`).toBe(
          before?.metadata?.uid,
        );
        known.delete(name);
    }
  }
  return new Set(known.values());
}

async function createMap(api: ApiServer, namespace: string, name: string): Promise<void> {
  // Characters of two, three and four bytes, for streams that are cut anywhere.
  const data = { text: `größe 模型 🚀 ${name}` };
  await create(api, resources.configmaps, { metadata: { namespace, name, labels }, data });
}
