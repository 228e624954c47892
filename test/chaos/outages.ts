import { setTimeout as sleep } from "node:timers/promises";
import type { KubeObject, Pod } from "../../src/api/kube-types.ts";
import { listAll } from "../../src/kube/list.ts";
import { resources } from "../../src/kube/resources.ts";
import { findProcesses, signalAll } from "../e2e/faults/processes.ts";
import type { Outage } from "./fault.ts";
import { find, merge, persist, remove, type World } from "./world.ts";

const NAMESPACE = "modelhook-system";
const NAME = "modelhook";
const REPLICAS = 2;

/** Restarts of a container after which the kubelet lets it wait for a minute and more; then its pod is made anew. */
const MANY_RESTARTS = 2;

interface Lease extends KubeObject {
  readonly spec?: { readonly holderIdentity?: string; readonly renewTime?: string };
}

/** Does it, and gives what was done, in words where that is not certain. */
export async function takeAway(world: World, outage: Outage<unknown>): Promise<string> {
  switch (outage.is) {
    case "leader killed":
      return killLeader(world);
    case "both replicas killed":
      return killAll(world);
    case "leader deleted":
      return deleteLeader(world);
    case "scaled to 0":
      await scaleToZero(world, outage.forMs);
      return "";
    case "API server away":
      await stopApiServer(world, outage.forMs);
      return "";
  }
}

/** Kills the process of the replica that the lease names; of any when that one does not run. */
async function killLeader(world: World): Promise<string> {
  const pods = await replicas(world);
  const leader = await leaderOf(world);
  const inOrder = pods.toSorted(
    (one, other) => Number(other.metadata?.name === leader) - Number(one.metadata?.name === leader),
  );
  for (const pod of inOrder) {
    if (await kill(world, pod)) {
      return pod.metadata?.name === leader ? "killed the leader" : "killed one that does not lead";
    }
  }
  return "found no replica to kill";
}

/** Kills the processes of all replicas. */
async function killAll(world: World): Promise<string> {
  const pods = await replicas(world);
  const killed = await Promise.all(pods.map(async (pod) => kill(world, pod)));
  return `killed ${killed.filter(Boolean).length}`;
}

/** Deletes the pod that leads: it hands the lease over before it ends. */
async function deleteLeader(world: World): Promise<string> {
  const leader = await leaderOf(world);
  if (leader === undefined) return "nobody led";
  await remove(world, resources.pods, { namespace: NAMESPACE, name: leader });
  return `deleted ${leader}`;
}

/** Takes all replicas away for a while. */
async function scaleToZero(world: World, forMs: number): Promise<void> {
  const { signal } = world;
  await world.alone(async () => {
    await scale(world, 0);
    try {
      await sleep(forMs, undefined, { signal });
    } finally {
      if (!signal.aborted) await scale(world, REPLICAS);
    }
  });
}

/** Stops the API server for a while. */
async function stopApiServer(world: World, forMs: number): Promise<void> {
  const { cluster, signal } = world;
  await world.alone(async () => {
    await cluster.stop("kube-apiserver");
    try {
      await sleep(forMs, undefined, { signal });
    } finally {
      if (!signal.aborted) await cluster.start("kube-apiserver");
    }
  });
}

/** Waits until everything is there again, and the replica that leads has renewed its lease since. */
export async function whenAllIsBack(world: World): Promise<void> {
  const { cluster, signal } = world;
  await cluster.start("kube-apiserver");
  await scale(world, REPLICAS);
  const rollout = ["rollout", "status", `deployment/${NAME}`, "--timeout=30s"];
  await persist("the replicas", signal, async () =>
    cluster.kubectl(["--namespace", NAMESPACE, ...rollout]),
  );
  const before = (await lease(world))?.spec?.renewTime;
  await persist("a renewal of the lease", signal, async () => {
    if ((await lease(world))?.spec?.renewTime === before) throw new Error("nobody leads");
  });
}

async function scale(world: World, count: number): Promise<void> {
  const ref = { namespace: NAMESPACE, name: NAME, subresource: "scale" };
  await merge(world, resources.deployments, ref, { spec: { replicas: count } });
}

async function replicas({ api, signal }: World): Promise<readonly Pod[]> {
  const selection = { namespace: NAMESPACE, labelSelector: `app.kubernetes.io/name=${NAME}` };
  const { items } = await persist("the list of replicas", signal, async () =>
    listAll<Pod>(api, resources.pods, { ...selection, signal }),
  );
  return items;
}

async function lease(world: World): Promise<Lease | undefined> {
  return find<Lease>(world, resources.leases, { namespace: NAMESPACE, name: NAME });
}

/** Name of the pod that the lease names. */
async function leaderOf(world: World): Promise<string | undefined> {
  // A pod's name, and what makes the process unique.
  const name = (await lease(world))?.spec?.holderIdentity?.split("_")[0];
  return name === "" ? undefined : name;
}

/** False when the pod has no process. */
async function kill(world: World, { metadata, status }: Pod): Promise<boolean> {
  const { uid, name = "" } = metadata ?? {};
  if (uid === undefined) return false;
  const pids = await findProcesses("serve", uid);
  signalAll(pids, "SIGKILL");
  const restarts = status?.containerStatuses?.[0]?.restartCount ?? 0;
  if (pids.length > 0 && restarts >= MANY_RESTARTS) {
    const ref = { namespace: NAMESPACE, name };
    await remove(world, resources.pods, ref, { uid, gracePeriodSeconds: 0 });
  }
  return pids.length > 0;
}
