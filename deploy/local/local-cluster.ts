import { type LocalCluster, openCluster } from "./cluster-handle.ts";
import { findMade, readAdmin } from "./cluster-record.ts";
import { withLock } from "./lock.ts";
import { makeNode } from "./make-node.ts";
import { isRunning } from "./node.ts";
import { type ComponentName, COMPONENTS } from "./node-components.ts";
import { isNodeReady, startComponents } from "./node-start.ts";
import { type Place, placeOf } from "./place.ts";
import { findRemains, tearDown } from "./teardown.ts";

export type { LocalCluster } from "./cluster-handle.ts";

export interface UpOptions {
  /** Name of the cluster (default `local`); clusters of different names and networks can run side by side. */
  readonly name?: string | undefined;
  /** First three bytes of the network between host and node (default 10.99.99). */
  readonly network?: string | undefined;
  /** Directories that the node gets at these paths, mode 1777, kept in the state directory (default /foo and /models). */
  readonly hostPaths?: readonly string[] | undefined;
  /** Takes lines of progress (default: standard error). */
  readonly log?: ((line: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What `status` finds. */
export type ClusterStatus =
  | { readonly state: "absent" }
  | { readonly state: "unfinished"; readonly remains: readonly string[] }
  | {
      readonly state: "made";
      readonly running: readonly ComponentName[];
      readonly ended: readonly ComponentName[];
      readonly nodeReady: boolean;
      readonly kubeconfig: string;
      readonly registry: string;
    };

const DEFAULT_HOST_PATHS = ["/foo", "/models"];

/**
 * Gives the running cluster of that name, repaired if a component has ended, else makes it.
 * What is left of one that was killed is removed first. When making fails, nothing is left.
 */
export async function up(options: UpOptions = {}): Promise<LocalCluster> {
  const place = placeOf(options.name, options.network);
  assertPossible();
  const log = withTimes(options.log);
  return withClusterLock(place, log, async () => {
    let node = await findMade(place);
    if (node === undefined) {
      await removeRemains(place, log);
      node = await makeNode(place, log, options.signal);
    } else {
      assertNetwork(node.place, options.network);
      await startComponents(node, {
        admin: await readAdmin(node.place),
        log,
        signal: options.signal,
      });
    }
    const cluster = await openCluster(node);
    for (const path of options.hostPaths ?? DEFAULT_HOST_PATHS) await cluster.addHostPath(path);
    log(`cluster ${place.name} is up`);
    return cluster;
  });
}

/** Removes the cluster of that name in whatever state it is; its registry's data and its logs stay. */
export async function down(options: Pick<UpOptions, "name" | "log"> = {}): Promise<void> {
  const place = placeOf(options.name);
  assertPossible();
  const log = withTimes(options.log);
  await withClusterLock(place, log, async () => {
    const remains = await findRemains(place);
    await tearDown(place);
    log(remains.length > 0 ? `cluster ${place.name} is down` : `there is no cluster ${place.name}`);
  });
}

/** Says what there is of the cluster of that name. */
export async function status(options: Pick<UpOptions, "name"> = {}): Promise<ClusterStatus> {
  const place = placeOf(options.name);
  const node = await findMade(place);
  if (node === undefined) {
    const remains = await findRemains(place);
    return remains.length === 0 ? { state: "absent" } : { state: "unfinished", remains };
  }
  const runs = await Promise.all(COMPONENTS.map(async (name) => isRunning(node, name)));
  const { kubeconfig, registry } = await openCluster(node);
  return {
    state: "made",
    running: COMPONENTS.filter((_, index) => runs[index]),
    ended: COMPONENTS.filter((_, index) => !runs[index]),
    nodeReady: await isNodeReady(await readAdmin(place)),
    kubeconfig,
    registry,
  };
}

async function removeRemains(place: Place, log: (line: string) => void): Promise<void> {
  const remains = await findRemains(place);
  if (remains.length === 0) return;
  log(`removing what is left of a cluster that was killed: ${remains.join(", ")}`);
  await tearDown(place);
}

async function withClusterLock<T>(
  place: Place,
  log: (line: string) => void,
  action: () => Promise<T>,
): Promise<T> {
  const wait = () => log(`another process makes or removes cluster ${place.name}; waiting for it`);
  return withLock(`cluster-${place.run}`, wait, action);
}

function withTimes(log: UpOptions["log"]): (line: string) => void {
  const begun = performance.now();
  const write = log ?? ((line) => process.stderr.write(`${line}\n`));
  return (line) =>
    write(`${((performance.now() - begun) / 1000).toFixed(1).padStart(6)} s  ${line}`);
}

function assertNetwork({ name, network }: Place, wanted: string | undefined): void {
  if (wanted !== undefined && wanted !== network)
    throw new Error(
      `cluster ${name} is up with network ${network}: take it down before you make it with ${wanted}`,
    );
}

function assertPossible(): void {
  if (process.platform !== "linux")
    throw new Error(
      `a node needs Linux, this is ${process.platform}: name a cluster with --context`,
    );
  if (process.getuid?.() !== 0)
    throw new Error(
      "a node on this machine needs root (namespaces, cgroups, a network link): run this as root, or name a cluster with --context",
    );
}
