import { readdir, readFile } from "node:fs/promises";
import type { Pod } from "../../../src/api/kube-types.ts";

/** Processes, as this machine numbers them, that have an argument. */
export async function processesWithArgument(argument: string): Promise<readonly number[]> {
  return processesWhere("cmdline", (text) => text.split("\0").includes(argument));
}

/** Processes, as this machine numbers them, of a running container of a pod. */
export async function processesOf(pod: Pod, container: string): Promise<readonly number[]> {
  const { initContainerStatuses = [], containerStatuses = [] } = pod.status ?? {};
  const statuses = [...initContainerStatuses, ...containerStatuses];
  const id = statuses.find(({ name }) => name === container)?.containerID?.split("://")[1];
  if (id === undefined) return [];
  return processesWhere("cgroup", (text) => text.includes(id));
}

/** Sends a signal to processes; one that has ended by itself is left out. */
export function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  }
}

async function processesWhere(
  file: "cmdline" | "cgroup",
  matches: (text: string) => boolean,
): Promise<readonly number[]> {
  const entries = (await readdir("/proc")).filter((entry) => /^\d+$/.test(entry));
  const found = await Promise.all(
    entries.map(async (pid) =>
      matches(await readFile(`/proc/${pid}/${file}`, "utf8").catch(() => "")) ? [Number(pid)] : [],
    ),
  );
  return found.flat();
}
