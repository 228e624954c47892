import { spawn } from "node:child_process";
import { open, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { run } from "./command.ts";
import { exists } from "./exists.ts";
import type { Place } from "./place.ts";
import { type ProcessEntry, readProcess, stillRuns } from "./process-table.ts";
import { waitUntil } from "./readiness.ts";

const PID1 = join(import.meta.dirname, "pid1.sh");
const START_TIMEOUT_MS = 20_000;
const END_TIMEOUT_MS = 20_000;
const NAMESPACES = ["--mount", "--net", "--pid", "--uts", "--ipc"];
const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

export interface NamespaceOptions {
  readonly hostName: string;
  /** Directories that stay visible at their path, for reading and writing or for reading only. */
  readonly writable: readonly string[];
  readonly readOnly: readonly string[];
  readonly signal?: AbortSignal | undefined;
}

/**
 * Makes the mount, network, pid, UTS and IPC namespaces of a node and gives the pid of their first process.
 * It and its parent, `unshare`, die together, and the kernel then ends everything in the namespaces.
 */
export async function makeNamespaces(place: Place, options: NamespaceOptions): Promise<number> {
  const log = join(place.logs, "pid1.log");
  const file = await open(log, "w");
  const child = spawn(
    "unshare",
    [
      ...NAMESPACES,
      "--fork",
      "--kill-child",
      "--",
      "/bin/bash",
      PID1,
      place.run,
      options.hostName,
      ...options.writable,
      "--",
      ...options.readOnly,
    ],
    { stdio: ["ignore", file.fd, file.fd], detached: true, cwd: "/", env: { PATH } },
  );
  await file.close();
  let end: string | undefined;
  child.once("error", (error) => (end = error.message));
  child.once("exit", (code, signal) => (end = signal ?? `exit code ${code}`));
  child.unref();
  await waitUntil({
    what: "the node's namespaces were not made",
    timeoutMs: START_TIMEOUT_MS,
    log,
    signal: options.signal,
    check: async () => {
      if (end !== undefined)
        throw new Error(
          `the node's first process ended with ${end}:\n${await readFile(log, "utf8")}`,
        );
      return exists(join(place.run, "pid1-ready"));
    },
  });
  const first = await findFirstProcess(place);
  if (first === undefined) throw new Error("the node's first process has gone");
  return first;
}

/** The pid of the first process of a cluster's namespaces, undefined when there are none. */
export async function findFirstProcess(place: Place): Promise<number | undefined> {
  const found = await findProcesses(place);
  return found.find(({ command }) => command !== "unshare")?.pid;
}

/** Ends everything in a cluster's namespaces and waits until it is gone; nothing to end is no error. */
export async function endNamespaces(place: Place): Promise<void> {
  const killed: ProcessEntry[] = [];
  let left: readonly ProcessEntry[] = [];
  await waitUntil({
    what: "the cluster's processes did not end",
    detail: () => left.map(({ pid }) => pid).join(", "),
    timeoutMs: END_TIMEOUT_MS,
    check: async () => {
      for (const { pid } of await findProcesses(place)) {
        const found = await readProcess(pid);
        if (found === undefined) continue;
        killed.push(found);
        kill(pid);
      }
      // A dying first process loses its arguments at once, but it ends after all others in the namespaces.
      left = await filterRunning(killed);
      return left.length === 0;
    },
  });
}

async function filterRunning(processes: readonly ProcessEntry[]): Promise<ProcessEntry[]> {
  const running = await Promise.all(processes.map(async (one) => stillRuns(one)));
  return processes.filter((_, index) => running[index]);
}

/** Runs a program inside the namespaces to its end and gives its standard output. */
export async function runInside(
  first: number,
  command: readonly string[],
  input?: string,
): Promise<string> {
  return run("nsenter", [...nsenterArguments(first), ...command], {
    ...(input === undefined ? {} : { input }),
    cwd: "/",
    env: { PATH },
  });
}

/** Starts a program inside the namespaces that outlives this process; gives its pid there. */
export async function startInside(
  first: number,
  command: readonly string[],
  log: string,
  path: readonly string[] = [],
): Promise<number> {
  const script = 'log=$1; shift; setsid "$@" >>"$log" 2>&1 </dev/null & echo $!';
  const pid = await run(
    "nsenter",
    [...nsenterArguments(first), "/bin/sh", "-c", script, "sh", log, ...command],
    { cwd: "/", env: { PATH: [...path, PATH].join(":") } },
  );
  return Number(pid);
}

function nsenterArguments(first: number): string[] {
  return [`--target=${first}`, ...NAMESPACES, "--"];
}

/**
 * The processes that hold a cluster together, told by their arguments: a file with pids could be missing or old
 * after a kill, the process table cannot.
 */
async function findProcesses(place: Place): Promise<{ pid: number; command: string }[]> {
  const pids = (await readdir("/proc")).filter((entry) => /^\d+$/.test(entry));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const line = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
      const [command = "", ...args] = line.split("\0");
      const script = args.findIndex((arg) => arg.endsWith("/pid1.sh"));
      const ours = script >= 0 && args[script + 1] === place.run;
      return ours ? [{ pid: Number(pid), command }] : [];
    }),
  );
  return found.flat();
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It ended by itself in the meantime.
  }
}
