import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

/** A process of this machine; its time of start tells it from a later one of the same number. */
export interface ProcessEntry {
  readonly pid: number;
  readonly parent: number;
  /** Clock ticks after the start of the machine. */
  readonly started: string;
}

/** Looks a process up in a /proc; undefined when it has ended, as a zombie has. */
export async function readProcess(pid: number, proc = "/proc"): Promise<ProcessEntry | undefined> {
  const stat = await readFile(join(proc, String(pid), "stat"), "utf8").catch(() => "");
  // After the name, which is in parentheses: the state, the parent, and 20th the time of the start.
  const [state, parent, ...others] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const started = others[17];
  if (started === undefined || state === "Z") return undefined;
  return { pid, parent: Number(parent), started };
}

/** All processes of this machine. */
export async function readProcesses(): Promise<ProcessEntry[]> {
  const entries = (await readdir("/proc")).filter((entry) => /^\d+$/.test(entry));
  const found = await Promise.all(entries.map(async (entry) => readProcess(Number(entry))));
  return found.filter((one) => one !== undefined);
}

/** Whether that very process still runs. */
export async function stillRuns(
  process: Pick<ProcessEntry, "pid" | "started">,
  proc = "/proc",
): Promise<boolean> {
  return (await readProcess(process.pid, proc))?.started === process.started;
}
