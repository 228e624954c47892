import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { findProcesses } from "../../test/e2e/faults/processes.ts";

/** What processes have cost, by the kernel's books. */
export interface Cost {
  /** Most memory of its own that one of them ever had, in MiB (VmHWM in proc_pid_status(5)). */
  readonly peakMib: number;
  /** Processor time of all of them, user and system. */
  readonly cpuSeconds: number;
}

const EVERY_MS = 50;
const TICKS_PER_SECOND = 100;

/** Follows all processes whose command holds one of the texts, until it is told to stop. */
export function watchProcesses(commands: readonly string[]): { stop(): Promise<Cost> } {
  const peaks = new Map<number, number>();
  const ticks = new Map<number, number>();
  const over = new AbortController();

  function look(pid: number): void {
    try {
      const status = readFileSync(`/proc/${pid}/status`, "utf8");
      const kibibytes = Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0);
      peaks.set(pid, Math.max(peaks.get(pid) ?? 0, kibibytes / 1024));
      const [, fields = ""] = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ");
      const [user, system] = fields.split(" ").slice(11, 13).map(Number);
      ticks.set(pid, (user ?? 0) + (system ?? 0));
    } catch {
      // It has ended between two looks.
    }
  }

  async function follow(): Promise<void> {
    while (!over.signal.aborted) {
      const found = await Promise.all(commands.map(async (command) => findProcesses(command)));
      for (const pid of found.flat()) look(pid);
      await sleep(EVERY_MS);
    }
  }

  const following = follow();
  return {
    async stop() {
      over.abort();
      await following;
      return {
        peakMib: Math.max(0, ...peaks.values()),
        cpuSeconds: [...ticks.values()].reduce((sum, each) => sum + each, 0) / TICKS_PER_SECOND,
      };
    },
  };
}
