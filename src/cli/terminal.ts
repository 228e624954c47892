import { inputFiles, readInput, type InputFiles } from "./input.ts";

/** How a command talks to whoever called it. */
export interface Terminal {
  /** Whether what is written is looked at by somebody who sees colours. */
  readonly isColoured: boolean;
  /** The files that names stand for. */
  readonly files: (names: readonly string[]) => InputFiles;
  /** Reads a file, `-` being standard input; throws when that can not be done. */
  readonly read: (file: string) => Promise<string>;
  readonly write: (text: string) => void;
  /** Says a line that is no part of the output. */
  readonly say: (line: string) => void;
}

/** The terminal of this process, or what stands for it. */
export const TERMINAL: Terminal = {
  isColoured: process.stdout.isTTY && process.stdout.hasColors(),
  files: inputFiles,
  read: readInput,
  write: (output) => {
    if (!process.stdout.listeners("error").includes(endUnread)) {
      process.stdout.on("error", endUnread);
    }
    process.stdout.write(output);
  },
  say: (line) => void process.stderr.write(`${line}\n`),
};

/** Ends the process when its output can not be written; who stops reading, as `head` does, has seen enough. */
function endUnread({ code }: NodeJS.ErrnoException): void {
  process.exit(code === "EPIPE" ? 0 : 2);
}
