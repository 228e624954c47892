import { chmod, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { buildPrograms, cacheDirectory } from "./build.ts";
import { makeCgroups } from "./cgroups.ts";
import { assertLinkIsFree, makeLink } from "./host-link.ts";
import { readKubeconfig } from "./kubeconfig.ts";
import { type Kubectl, makeKubectl } from "./kubectl.ts";
import { withLock } from "./lock.ts";
import { findFirstProcess, makeNamespaces, runInside } from "./namespaces.ts";
import { isRunning, type Node, startComponent, stopComponent } from "./node.ts";
import { type ComponentName, COMPONENTS, NODE_NAME, NODE_PROGRAMS } from "./node-components.ts";
import { writeNodeFiles } from "./node-files.ts";
import { isNodeReady, startComponents } from "./node-start.ts";
import { ensureSystemPrograms } from "./packages.ts";
import { type Place, placeOf, registryAddress } from "./place.ts";
import { findRemains, tearDown } from "./teardown.ts";

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

/** A running one-node cluster; it outlives this process. */
export interface LocalCluster {
  /** Path of a kubeconfig of a cluster administrator. */
  readonly kubeconfig: string;
  readonly kubectl: Kubectl;
  /** Host and port of a plain-HTTP registry, the same for the host, the node and its pods. */
  readonly registry: string;
  readonly nodeName: string;
  /** Path of one of the cluster's own programs. */
  bin(program: (typeof NODE_PROGRAMS)[number]): string;
  /** Runs a program inside the node's namespaces to its end and gives its standard output. */
  enter(command: readonly string[], input?: string): Promise<string>;
  /** Stops one component, SIGTERM first. */
  stop(component: ComponentName): Promise<void>;
  /** Starts a stopped component again and waits until the cluster is whole. */
  start(component: ComponentName): Promise<void>;
  /** Gives the node a directory at `path`, mode 1777, and its path on the host. */
  addHostPath(path: string): Promise<string>;
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

/** What is written when a cluster is ready; without it, whatever there is was never finished. */
interface Made {
  readonly network: string;
  readonly programs: Node["programs"];
}

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
      node = await make(place, log, options.signal);
    } else {
      await startComponents(node, {
        admin: await readAdmin(node.place),
        log,
        signal: options.signal,
      });
    }
    const cluster = await open(node);
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
  const { kubeconfig, registry } = await open(node);
  return {
    state: "made",
    running: COMPONENTS.filter((_, index) => runs[index]),
    ended: COMPONENTS.filter((_, index) => !runs[index]),
    nodeReady: await isNodeReady(await readAdmin(place)),
    kubeconfig,
    registry,
  };
}

async function make(
  place: Place,
  log: (line: string) => void,
  signal: AbortSignal | undefined,
): Promise<Node> {
  const system = await ensureSystemPrograms(
    ["unshare", "nsenter", "mount", "ip", "nft", "iptables", "conntrack", "runc", "ptp"],
    log,
  );
  const programs = await buildPrograms(NODE_PROGRAMS, { log, signal });
  await assertLinkIsFree(place);
  try {
    await rm(place.logs, { recursive: true, force: true });
    for (const directory of [place.run, place.logs, place.registryData])
      await mkdir(directory, { recursive: true, mode: 0o700 });
    const admin = await writeNodeFiles(place, {
      runc: system.runc,
      cniDirectory: dirname(system.ptp),
    });
    await makeCgroups(place);
    const first = await makeNamespaces(place, {
      hostName: NODE_NAME,
      writable: [dirname(place.run)],
      readOnly: [cacheDirectory()],
      signal,
    });
    await makeLink(place, first);
    log("namespaces made");
    const node = { place, first, programs };
    await startComponents(node, { admin, log, signal });
    await writeMade(place, { network: place.network, programs });
    return node;
  } catch (error) {
    log("it failed; removing what was made");
    await tearDown(place).catch((second: unknown) => log(String(second)));
    throw error;
  }
}

/** The node of a cluster that was finished and whose namespaces still are there. */
async function findMade(place: Place): Promise<Node | undefined> {
  const first = await findFirstProcess(place);
  const text = await readFile(madeFile(place), "utf8").catch(() => undefined);
  if (first === undefined || text === undefined) return undefined;
  const { network, programs } = JSON.parse(text) as Made;
  return { place: { ...place, network }, first, programs };
}

async function writeMade(place: Place, made: Made): Promise<void> {
  await writeFile(`${madeFile(place)}.new`, JSON.stringify(made));
  await rename(`${madeFile(place)}.new`, madeFile(place));
}

async function removeRemains(place: Place, log: (line: string) => void): Promise<void> {
  const remains = await findRemains(place);
  if (remains.length === 0) return;
  log(`removing what is left of a cluster that was killed: ${remains.join(", ")}`);
  await tearDown(place);
}

async function open(node: Node): Promise<LocalCluster> {
  const { place, first, programs } = node;
  const kubeconfig = adminKubeconfig(place);
  const admin = await readAdmin(place);
  return {
    kubeconfig,
    kubectl: makeKubectl(programs.kubectl, kubeconfig, place.run),
    registry: registryAddress(place),
    nodeName: NODE_NAME,
    bin: (program) => programs[program],
    enter: async (command, input) => runInside(first, command, input),
    stop: async (component) => stopComponent(node, component),
    start: async (component) => {
      await startComponent(node, component);
      await startComponents(node, { admin, log: () => {} });
    },
    addHostPath: async (path) => addHostPath(node, path),
  };
}

async function addHostPath({ place, first }: Node, path: string): Promise<string> {
  if (!/^(\/[\w.-]+)+$/.test(path) || path.includes(".."))
    throw new Error(`${JSON.stringify(path)} cannot be a path of the node: use one like /models`);
  const source = join(place.run, "paths", path);
  await mkdir(source, { recursive: true });
  await chmod(source, 0o1777);
  const script = 'mountpoint -q "$2" && exit; mkdir -p "$2" && mount --bind "$1" "$2"';
  await runInside(first, ["/bin/sh", "-c", script, "sh", source, path]).catch((error: unknown) => {
    throw new Error(
      `the node cannot have ${path}: choose a path that the host has too, or whose first part it lacks`,
      { cause: error },
    );
  });
  return source;
}

function adminKubeconfig(place: Place): string {
  return join(place.run, "admin.kubeconfig");
}

async function readAdmin(place: Place): ReturnType<typeof readKubeconfig> {
  return readKubeconfig(adminKubeconfig(place));
}

function madeFile(place: Place): string {
  return join(place.run, "cluster.json");
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
