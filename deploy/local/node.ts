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
import { type ProcessEntry, readProcess, stillRuns } from "./process-table.ts";
import { tailOf, waitUntil } from "./readiness.ts";

/** The namespaces of a running node and the programs that belong into it. */
export interface Node {
  readonly place: Place;
  /** Pid, as the host sees it, of the first process of the namespaces. */
  readonly first: number;
  readonly programs: ProgramPaths<(typeof NODE_PROGRAMS)[number]>;
}

const STOP_TIMEOUT_MS = 10_000;

/** Starts a component, which runs until it is stopped or the namespaces end; its log goes on. */
export async function startComponent(node: Node, name: ComponentName): Promise<void> {
  const { first, place, programs } = node;
  const log = logOf(node, name);
  const command = nodeCommands(place, programs)[name];
  const pid = await startInside(first, command, log, componentPath(name, programs));
  const process = await readProcess(pid, insidePath(node, "/proc"));
  if (process === undefined) throw new Error(`${name} ended at once${await tailOf(log)}`);
  await writeFile(processFile(node, name), JSON.stringify(process));
}

/** Stops a component, by SIGKILL if it does not end by itself, or at once when that is asked for. */
export async function stopComponent(
  node: Node,
  name: ComponentName,
  first: "TERM" | "KILL" = "TERM",
): Promise<void> {
  const running = await findRunning(node, name);
  if (running === undefined) return;
  const signal = async (kind: string) =>
    runInside(node.first, ["kill", `-${kind}`, String(running.pid)]).catch(() => "");
  const gone = {
    what: `${name} did not end`,
    timeoutMs: STOP_TIMEOUT_MS,
    check: async () => !(await stillRuns(running, insidePath(node, "/proc"))),
  };
  await signal(first);
  await waitUntil(gone).catch(async () => {
    await signal("KILL");
    await waitUntil(gone);
  });
}

/** Whether a component runs. */
export async function isRunning(node: Node, name: ComponentName): Promise<boolean> {
  return (await findRunning(node, name)) !== undefined;
}

/** Throws, with the end of its log, if one of these components does not run. */
export async function assertRunning(node: Node, names: readonly ComponentName[]): Promise<void> {
  for (const name of names)
    if (!(await isRunning(node, name)))
      throw new Error(`${name} has ended${await tailOf(logOf(node, name))}`);
}

/** Whether a path exists as the node sees its files. */
export async function existsInside(node: Node, path: string): Promise<boolean> {
  return exists(insidePath(node, path));
}

/** The log file of a component. */
export function logOf(node: Node, name: ComponentName): string {
  return join(node.place.logs, `${name}.log`);
}

/** The host's way to a path of the node. */
function insidePath(node: Node, path: string): string {
  return `/proc/${node.first}/root${path}`;
}

/** Where a component's process, as the namespaces number it, is written down. */
function processFile(node: Node, name: ComponentName): string {
  return join(node.place.run, `${name}.process`);
}

async function findRunning(node: Node, name: ComponentName): Promise<ProcessEntry | undefined> {
  const text = await readFile(processFile(node, name), "utf8").catch(() => "");
  if (text === "") return undefined;
  const process = JSON.parse(text) as ProcessEntry;
  return (await stillRuns(process, insidePath(node, "/proc"))) ? process : undefined;
}
