import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ProgramPaths } from "./build.ts";
import { exists } from "./exists.ts";
import { runInside, startInside } from "./namespaces.ts";
import {
  type ComponentName,
  componentPath,
  type NODE_PROGRAMS,
  nodeCommands,
} from "./node-components.ts";
import type { Place } from "./place.ts";
import { tailOf, waitUntil } from "./readiness.ts";

/** The namespaces of a running node and the programs that belong into it. */
export interface Node {
  readonly place: Place;
  /** Pid, as the host sees it, of the first process of the namespaces. */
  readonly first: number;
  readonly programs: ProgramPaths<(typeof NODE_PROGRAMS)[number]>;
}

const STOP_TIMEOUT_MS = 10_000;

/** Starts a component whose log begins anew; it runs until it is stopped or the namespaces end. */
export async function startComponent(node: Node, name: ComponentName): Promise<void> {
  const { first, place, programs } = node;
  const log = logOf(node, name);
  await writeFile(log, "");
  const command = nodeCommands(place, programs)[name];
  const pid = await startInside(first, command, log, componentPath(name, programs));
  const process = await readProcess(node, pid);
  if (process === undefined) throw new Error(`${name} ended at once${await tailOf(log)}`);
  await writeFile(processFile(node, name), JSON.stringify(process));
}

/** Stops a component, by SIGKILL if it does not end by itself. */
export async function stopComponent(node: Node, name: ComponentName): Promise<void> {
  const running = await findRunning(node, name);
  if (running === undefined) return;
  const signal = async (kind: string) =>
    runInside(node.first, ["kill", `-${kind}`, String(running.pid)]).catch(() => "");
  const gone = {
    what: `${name} did not end`,
    timeoutMs: STOP_TIMEOUT_MS,
    check: async () => !(await isRunning(node, name)),
  };
  await signal("TERM");
  await waitUntil(gone).catch(async () => {
    await signal("KILL");
    await waitUntil(gone);
  });
}

/** Whether a component runs. */
export async function isRunning(node: Node, name: ComponentName): Promise<boolean> {
  return (await findRunning(node, name)) !== undefined;
}

/** Waits for something that a component does; fails at once, with the end of its log, when it ends. */
export async function waitForComponent(
  node: Node,
  name: ComponentName,
  awaited: {
    readonly what: string;
    readonly timeoutMs: number;
    readonly check: () => Promise<boolean>;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<void> {
  const log = logOf(node, name);
  await waitUntil({
    ...awaited,
    what: `${name}: ${awaited.what}`,
    log,
    check: async () => {
      if (await awaited.check()) return true;
      if (await isRunning(node, name)) return false;
      throw new Error(`${name} has ended${await tailOf(log)}`);
    },
  });
}

/** Whether a path exists as the node sees its files. */
export async function existsInside(node: Node, path: string): Promise<boolean> {
  return exists(insidePath(node, path));
}

/** The log file of a component. */
export function logOf(node: Pick<Node, "place">, name: ComponentName): string {
  return join(node.place.logs, `${name}.log`);
}

/** The host's way to a path of the node. */
function insidePath(node: Node, path: string): string {
  return `/proc/${node.first}/root${path}`;
}

function processFile(node: Node, name: ComponentName): string {
  return join(node.place.run, `${name}.process`);
}

/** A process inside the namespaces; its time of start tells it from a later one of the same number. */
interface InnerProcess {
  readonly pid: number;
  readonly started: string;
}

async function readProcess(node: Node, pid: number): Promise<InnerProcess | undefined> {
  const stat = await readFile(insidePath(node, `/proc/${pid}/stat`), "utf8").catch(() => "");
  // After the name, which is in parentheses: the state, and 20th the time of the start.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [state, started] = [fields[0], fields[19]];
  return started === undefined || state === "Z" ? undefined : { pid, started };
}

async function findRunning(node: Node, name: ComponentName): Promise<InnerProcess | undefined> {
  const text = await readFile(processFile(node, name), "utf8").catch(() => "");
  if (text === "") return undefined;
  const { pid, started } = JSON.parse(text) as InnerProcess;
  const found = await readProcess(node, pid);
  return found?.started === started ? found : undefined;
}
