import type { Writable } from "node:stream";
import { styleText } from "node:util";

/** Tells people what happens, while it happens. */
export interface Report {
  /** Runs a step under its title; what it logs stands below, and how long it took at its end. */
  step<T>(title: string, run: (log: (line: string) => void) => Promise<T>): Promise<T>;
  /** Prints the summary. */
  end(lines: readonly string[]): void;
}

/** Starts a report; colours only where a terminal reads it. */
export function startReport(stream: Writable): Report {
  const began = performance.now();
  const write = (line: string): void => void stream.write(`${line}\n`);
  const bold = (text: string): string => styleText("bold", text, { stream });
  const dim = (text: string): string => styleText("dim", text, { stream });
  return {
    async step(title, run) {
      const start = performance.now();
      write(bold(`\n▸ ${title}`));
      const result = await run((line) => write(`  ${line}`));
      write(dim(`  ${seconds(performance.now() - start)}`));
      return result;
    },
    end(lines) {
      write(bold(`\n✓ Done in ${seconds(performance.now() - began)}`));
      for (const line of lines) write(`  ${line}`);
    },
  };
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}
