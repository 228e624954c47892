import { spawn } from "node:child_process";
import { open } from "node:fs/promises";

/** A running program that cannot outlive this process. */
export interface BoundProcess {
  readonly name: string;
  readonly log: string;
  /** How it ended (exit code or signal), undefined while it runs. */
  ended(): string | undefined;
  signal(signal: NodeJS.Signals): void;
  /** Kills it and waits until it is gone. */
  kill(): Promise<void>;
}

/**
 * Starts a program whose output goes to the end of `log` and which the kernel kills with this process,
 * however this process ends.
 */
export async function startBound(
  name: string,
  command: readonly string[],
  log: string,
): Promise<BoundProcess> {
  const file = await open(log, "a");
  const child = spawn("setpriv", ["--pdeathsig", "KILL", "--", ...command], {
    stdio: ["ignore", file.fd, file.fd],
  });
  await file.close();
  child.unref();
  let end: string | undefined;
  const gone = new Promise<void>((resolve) => {
    child.once("error", (error) => {
      end = error.message;
      resolve();
    });
    child.once("exit", (code, signal) => {
      end = signal ?? `exit code ${code}`;
      resolve();
    });
  });
  return {
    name,
    log,
    ended: () => end,
    signal: (signal) => void child.kill(signal),
    kill: async () => {
      child.ref();
      child.kill("SIGKILL");
      await gone;
    },
  };
}

/** Removes a directory when this process ends, however it ends; call the result to remove it now. */
export function removeAtEnd(directory: string): () => Promise<void> {
  // The shell waits for the end of its input, which only this process holds open. It repeats because the
  // programs that write there die at the same time. Its own process group keeps Ctrl-C away from it.
  const script = 'cat >/dev/null; until rm -rf -- "$1"; do sleep 0.1; done';
  const child = spawn("/bin/sh", ["-c", script, "sh", directory], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
  });
  const gone = new Promise<void>((resolve) => {
    child.once("close", () => resolve());
    child.once("error", () => resolve());
  });
  child.unref();
  return async () => {
    child.ref();
    child.stdin.end();
    await gone;
  };
}
