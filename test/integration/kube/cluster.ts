import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, vi } from "vitest";
import { startControlPlane, type ControlPlane } from "../../../deploy/local/control-plane.ts";
import type { KubeObject } from "../../../src/api/kube-types.ts";
import { connect, type ApiServer } from "../../../src/kube/client.ts";
import { listAll, type Selection } from "../../../src/kube/list.ts";
import { resources, type Resource } from "../../../src/kube/resources.ts";
import type { Store } from "../../../src/kube/store.ts";
import { create } from "../../../src/kube/write.ts";
import type { Logger } from "../../../src/telemetry/logger.ts";

/** A control plane for the tests of one file. */
export interface Cluster {
  readonly plane: ControlPlane;
  /** Straight to the API server. */
  readonly api: ApiServer;
  /** Scratch space. */
  readonly directory: string;
  makeNamespace(): Promise<string>;
  stop(): Promise<void>;
}

/** Starts a control plane before the tests of the calling file and stops it after them; only tests may read what it gives. */
export function useCluster(): Cluster {
  const cluster = {} as Cluster;
  beforeAll(async () => {
    Object.assign(cluster, await startCluster());
  });
  afterAll(async () => cluster.stop());
  return cluster;
}

async function startCluster(): Promise<Cluster> {
  const plane = await startControlPlane({ controllerManager: false });
  const api = await connect({ kubeconfigPath: plane.kubeconfig });
  const directory = await mkdtemp(join(tmpdir(), "modelhook-kube-"));
  let namespaces = 0;
  return {
    plane,
    api,
    directory,
    async makeNamespace() {
      namespaces += 1;
      const name = `test-${namespaces}`;
      await create(api, resources.namespaces, { metadata: { name } });
      return name;
    },
    async stop() {
      await api.close();
      await plane.stop();
      await rm(directory, { recursive: true });
    },
  };
}

/** Waits until a store equals a fresh list from the server, resource versions included. */
export async function expectEqualToServer<T extends KubeObject>(
  store: Store<T>,
  api: ApiServer,
  resource: Resource,
  selection: Selection,
): Promise<void> {
  await vi.waitFor(
    async () => {
      const { items } = await listAll<T>(api, resource, selection);
      expect(byName(store.list())).toEqual(byName(items));
    },
    { timeout: 20_000, interval: 50 },
  );
}

/** A log that keeps what is written to it. */
export interface MemoryLog extends Logger {
  readonly lines: { readonly message: string; readonly fields: { readonly err?: unknown } }[];
}

export function makeLog(): MemoryLog {
  const lines: MemoryLog["lines"] = [];
  const write = (fields: object, message: string): void => void lines.push({ message, fields });
  return { lines, debug: write, info: write, warn: write, error: write };
}

function byName<T extends KubeObject>(objects: readonly T[]): Record<string, T> {
  return Object.fromEntries(objects.map((object) => [object.metadata?.name ?? "", object]));
}
