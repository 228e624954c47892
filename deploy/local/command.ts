import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";

/** What a program is given besides its arguments. */
export interface CommandOptions {
  readonly input?: string;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Kills the program. */
  readonly signal?: AbortSignal | undefined;
}

/** Runs a program to its end and gives its standard output; a failure carries the program's own words. */
export async function run(
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  const child = spawn(command, args, {
    stdio: ["pipe", "pipe", "pipe"],
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env: withSystemPath({ ...process.env, ...options.env }),
    signal: options.signal,
  });
  const ended = new Promise<string>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve(signal ?? String(code)));
  });
  // A program may end without reading all of its input; its exit status tells what matters.
  child.stdin.on("error", () => {});
  child.stdin.end(options.input ?? "");
  const [end, stdout, stderr] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
  if (end === "0") return stdout;
  throw new Error(
    `${command} ${args.join(" ")} ended with ${end}: ${(stderr.trim() || stdout.trim()).slice(-4000)}`,
  );
}

/** Adds where the system's programs are, which the PATH of a root shell may lack. */
function withSystemPath(env: CommandOptions["env"]): CommandOptions["env"] {
  return { ...env, PATH: [env?.PATH, "/usr/local/sbin", "/usr/sbin", "/sbin"].join(":") };
}

/** Whether an error of `run` or `spawn` means that the program itself is not there. */
export function isProgramMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
