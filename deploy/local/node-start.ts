import type { Access } from "./kubeconfig.ts";
import {
  assertRunning,
  existsInside,
  isRunning,
  logOf,
  type Node,
  startComponent,
} from "./node.ts";
import { type ComponentName, CONTAINERD_SOCKET, NODE_NAME } from "./node-components.ts";
import { nodeAddress, registryAddress } from "./place.ts";
import { apiServerAnswers, getFromApi, httpAnswers, waitUntil } from "./readiness.ts";

export interface StartOptions {
  readonly admin: Access;
  readonly log: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/** How it is seen that a component does its work, and what to say when it does not. */
interface Readiness {
  readonly lacking: string;
  readonly isReady: () => Promise<boolean>;
}

const TIMEOUT_MS = 120_000;

/** Starts the components that do not run yet and waits until the node can run pods. */
export async function startComponents(node: Node, options: StartOptions): Promise<void> {
  await startAndWait(node, ["etcd", "registry", "containerd", "kube-apiserver"], options);
  // These would lose time in asking again for an API server that is not there yet.
  const clients = ["kubelet", "kube-controller-manager", "kube-scheduler", "kube-proxy"] as const;
  await startAndWait(node, clients, options);
}

/** Starts those of the named components that do not run, and waits until each does its work. */
export async function startAndWait(
  node: Node,
  names: readonly ComponentName[],
  { admin, log, signal }: StartOptions,
): Promise<void> {
  for (const name of names) if (!(await isRunning(node, name))) await startComponent(node, name);
  const readiness = readinessOf(node, admin);
  for (const name of names) {
    const { lacking, isReady } = readiness[name] ?? {};
    if (lacking === undefined || isReady === undefined) continue;
    await waitUntil({
      what: `${name}: ${lacking}`,
      timeoutMs: TIMEOUT_MS,
      log: logOf(node, name),
      signal,
      check: async () => {
        // Any of them, because one that ends keeps others from becoming ready.
        await assertRunning(node, names);
        return isReady();
      },
    });
    log(`${name} ready`);
  }
}

/** Whether the API server says that the node is Ready. */
export async function isNodeReady(admin: Access): Promise<boolean> {
  const answer = await getFromApi(admin, `/api/v1/nodes/${NODE_NAME}`);
  if (answer?.status !== 200) return false;
  const { status } = JSON.parse(answer.body) as {
    status?: { conditions?: readonly { type: string; status: string }[] };
  };
  return status?.conditions?.some((one) => one.type === "Ready" && one.status === "True") ?? false;
}

/** etcd is not asked, since the API server is; nor the scheduler, which says nothing without a port. */
function readinessOf(node: Node, admin: Access): Partial<Record<ComponentName, Readiness>> {
  const registry = registryAddress(node.place);
  return {
    registry: {
      lacking: `no answer at ${registry}`,
      isReady: async () => httpAnswers(`http://${registry}/v2/`),
    },
    containerd: {
      lacking: `no socket at ${CONTAINERD_SOCKET}`,
      isReady: async () => existsInside(node, CONTAINERD_SOCKET),
    },
    "kube-apiserver": {
      lacking: "/readyz was not ok",
      isReady: async () => apiServerAnswers(admin, "/readyz"),
    },
    kubelet: {
      lacking: "the node was not Ready",
      isReady: async () => isNodeReady(admin),
    },
    // Before that the first pod of namespace default would be refused.
    "kube-controller-manager": {
      lacking: "namespace default had no ServiceAccount",
      isReady: async () =>
        apiServerAnswers(admin, "/api/v1/namespaces/default/serviceaccounts/default"),
    },
    "kube-proxy": {
      lacking: "its health was not ok",
      isReady: async () => httpAnswers(`http://${nodeAddress(node.place)}:10256/healthz`),
    },
  };
}
