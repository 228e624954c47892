import { access, readFile, readlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ProgramPaths } from "./build.ts";
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
  await writeFile(pidFile(node, name), String(pid));
}

/** Stops a component, by SIGKILL if it does not end by itself. */
export async function stopComponent(node: Node, name: ComponentName): Promise<void> {
  const pid = await readPid(node, name);
  if (pid === undefined || !(await isRunning(node, name))) return;
  const signal = async (kind: string) =>
    runInside(node.first, ["kill", `-${kind}`, String(pid)]).catch(() => "");
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
  const pid = await readPid(node, name);
  if (pid === undefined) return false;
  // Compared with the program, because the number may belong to another process by now.
  const program = await readlink(insidePath(node, `/proc/${pid}/exe`)).catch(() => "");
  return program === node.programs[name];
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
  return access(insidePath(node, path)).then(
    () => true,
    () => false,
  );
}

/** The log file of a component. */
export function logOf(node: Pick<Node, "place">, name: ComponentName): string {
  return join(node.place.logs, `${name}.log`);
}

/** The host's way to a path of the node. */
function insidePath(node: Node, path: string): string {
  return `/proc/${node.first}/root${path}`;
}

function pidFile(node: Node, name: ComponentName): string {
  return join(node.place.run, `${name}.pid`);
}

async function readPid(node: Node, name: ComponentName): Promise<number | undefined> {
  const text = await readFile(pidFile(node, name), "utf8").catch(() => "");
  return text === "" ? undefined : Number(text);
}
