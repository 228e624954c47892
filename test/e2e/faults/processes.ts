import { readdir, readFile } from "node:fs/promises";

/** Processes, as this machine numbers them, whose command holds a text; of one pod only when its UID is given. */
export async function findProcesses(command: string, podUid = ""): Promise<readonly number[]> {
  const entries = (await readdir("/proc")).filter((entry) => /^\d+$/.test(entry));
  const found = await Promise.all(
    entries.map(async (pid) => {
      const isMeant =
        (await read(pid, "cmdline")).includes(command) &&
        (await read(pid, "cgroup")).includes(podUid);
      return isMeant ? [Number(pid)] : [];
    }),
  );
  return found.flat();
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

async function read(pid: string, file: "cmdline" | "cgroup"): Promise<string> {
  return readFile(`/proc/${pid}/${file}`, "utf8").catch(() => "");
}
