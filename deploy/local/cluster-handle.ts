import { chmod, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { adminKubeconfig, readAdmin } from "./cluster-record.ts";
import { type Kubectl, makeKubectl } from "./kubectl.ts";
import { runInside } from "./namespaces.ts";
import { type Node, stopComponent } from "./node.ts";
import { type ComponentName, NODE_NAME, type NODE_PROGRAMS } from "./node-components.ts";
import { startAndWait } from "./node-start.ts";
import { registryAddress } from "./place.ts";

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
  /** Stops one component, SIGTERM first; by SIGKILL alone, as a crash would, when that is asked for. */
  stop(component: ComponentName, signal?: "KILL"): Promise<void>;
  /** Starts a stopped component again and waits until it does its work. */
  start(component: ComponentName): Promise<void>;
  /** Gives the node a directory at `path`, mode 1777, and its path on the host. */
  addHostPath(path: string): Promise<string>;
}

/** Gives the handle of a finished cluster. */
export async function openCluster(node: Node): Promise<LocalCluster> {
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
    stop: async (component, signal) => stopComponent(node, component, signal),
    start: async (component) => {
      await startAndWait(node, [component], { admin, log: () => {} });
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
