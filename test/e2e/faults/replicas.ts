import type { KubeObject, Pod } from "../../../src/api/kube-types.ts";
import { eventually, kubectl, list, read, type TestNode } from "../node.ts";
import { findProcesses, signalAll } from "./processes.ts";

const NAMESPACE = "modelhook-system";
const NAME = "modelhook";

interface Lease extends KubeObject {
  readonly spec?: { readonly holderIdentity?: string };
}

/** The product's pods. */
export async function replicas(node: TestNode): Promise<readonly Pod[]> {
  return list<Pod>(node, NAMESPACE, "pods", `app.kubernetes.io/name=${NAME}`);
}

/** Waits until both replicas are ready. */
export async function whenReplicasAreReady(node: TestNode): Promise<void> {
  const status = ["status", `deployment/${NAME}`, "--timeout=120s"];
  await kubectl(node, NAMESPACE, "rollout", ...status);
}

/** The replica that leads, once one does that is not the one left out. */
export async function whenAnotherLeads(node: TestNode, leftOut?: Pod): Promise<Pod> {
  return eventually(
    "another leader",
    async () => {
      const lease = await read<Lease>(node, NAMESPACE, "lease", NAME);
      // A pod's name, and what makes the process unique.
      const name = lease?.spec?.holderIdentity?.split("_")[0];
      if (name === undefined || name === "" || name === leftOut?.metadata?.name) return undefined;
      return read<Pod>(node, NAMESPACE, "pod", name);
    },
    { seconds: 90, everyMs: 200 },
  );
}

/** Ends a replica's process as a crash would; the kubelet starts it again in its pod. */
export async function crash(pod: Pod): Promise<void> {
  signalAll(await processesOf(pod), "SIGKILL");
}

/** Ends a replica and its pod at once, as a lost node would; its Deployment makes another. */
export async function lose(node: TestNode, pod: Pod): Promise<void> {
  await crash(pod);
  const force = ["--force", "--grace-period=0", "--wait=false"];
  await kubectl(node, NAMESPACE, "delete", "pod", pod.metadata?.name ?? "", ...force);
}

/** Asks a replica to leave, as a rollout does. */
export async function leave(node: TestNode, pod: Pod): Promise<void> {
  await kubectl(node, NAMESPACE, "delete", "pod", pod.metadata?.name ?? "", "--wait=false");
}

/** Stops a replica's process without its end, as a machine that swaps or sleeps would. */
export async function freeze(pod: Pod): Promise<{ readonly thaw: () => void }> {
  const pids = await processesOf(pod);
  signalAll(pids, "SIGSTOP");
  return { thaw: () => signalAll(pids, "SIGCONT") };
}

async function processesOf({ metadata }: Pod): Promise<readonly number[]> {
  const pids = await findProcesses("serve", metadata?.uid);
  if (pids.length === 0) throw new Error(`replica ${metadata?.name} does not run`);
  return pids;
}
