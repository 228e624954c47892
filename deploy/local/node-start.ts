import type { Access } from "./kubeconfig.ts";
import {
  existsInside,
  isRunning,
  logOf,
  type Node,
  startComponent,
  waitForComponent,
} from "./node.ts";
import { type ComponentName, COMPONENTS, CONTAINERD_SOCKET, NODE_NAME } from "./node-components.ts";
import { nodeAddress, registryAddress } from "./place.ts";
import { apiServerAnswers, getFromApi, httpAnswers, tailOf } from "./readiness.ts";

export interface StartOptions {
  readonly admin: Access;
  readonly log: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
}

const API_SERVER_TIMEOUT_MS = 60_000;
const TIMEOUT_MS = 120_000;

/** Starts the components that do not run yet and waits until the node can run pods. */
export async function startComponents(node: Node, options: StartOptions): Promise<void> {
  const { admin, log, signal } = options;
  const start = async (...names: readonly ComponentName[]) => {
    for (const name of names) if (!(await isRunning(node, name))) await startComponent(node, name);
  };
  const wait = async (
    name: ComponentName,
    what: string,
    check: () => Promise<boolean>,
    timeoutMs = TIMEOUT_MS,
  ) => waitForComponent(node, name, { what, timeoutMs, check, signal });

  await start("etcd", "registry", "containerd", "kube-apiserver");
  await wait(
    "kube-apiserver",
    "/readyz was not ok",
    async () => apiServerAnswers(admin, "/readyz"),
    API_SERVER_TIMEOUT_MS,
  );
  log("API server ready");
  await wait("containerd", `no socket at ${CONTAINERD_SOCKET}`, async () =>
    existsInside(node, CONTAINERD_SOCKET),
  );
  await start("kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy");
  await wait("registry", `no answer at ${registryAddress(node.place)}`, async () =>
    httpAnswers(`http://${registryAddress(node.place)}/v2/`),
  );
  log("registry ready");
  await wait("kubelet", "the node was not Ready", async () => isNodeReady(admin));
  log("node ready");
  // Without it the first pod of namespace default would be refused.
  await wait("kube-controller-manager", "namespace default had no ServiceAccount", async () =>
    apiServerAnswers(admin, "/api/v1/namespaces/default/serviceaccounts/default"),
  );
  await wait("kube-proxy", "its health was not ok", async () =>
    httpAnswers(`http://${nodeAddress(node.place)}:10256/healthz`),
  );
  await assertAllRun(node);
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

/** Some components have nothing to ask whether they are well; that they run is known. */
async function assertAllRun(node: Node): Promise<void> {
  for (const name of COMPONENTS)
    if (!(await isRunning(node, name)))
      throw new Error(`${name} has ended${await tailOf(logOf(node, name))}`);
}
