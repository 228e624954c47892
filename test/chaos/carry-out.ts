import { describeFault, type DescribedFault } from "./fault.ts";
import { nameOf } from "./verdict.ts";
import type { World } from "./world.ts";

/** What became of a run. */
export interface Outcome {
  /** One line for people. */
  readonly line: string;
  /** Why it came to no end; undefined when it did. */
  readonly fault?: string;
}

/** A run, as far as its line tells of it. */
interface ToldRun {
  readonly index: number;
  readonly fault: DescribedFault;
}

/** Does what a run consists of, and tells in a line how it went; `act` gives what was done, in words where that is not certain. */
export async function carryOut(
  { signal }: World,
  run: ToldRun,
  {
    shape,
    act,
    result,
  }: {
    /** What the run is made of, in a few words. */
    readonly shape: string;
    readonly act: () => Promise<string>;
    /** How everything stands, in a few words. */
    readonly result: () => string;
  },
): Promise<Outcome> {
  const began = performance.now();
  const say = (text: string): string => {
    const seconds = ((performance.now() - began) / 1000).toFixed(1).padStart(5);
    return `${nameOf(run).padEnd(7)} ${seconds} s  ${shape}; ${describeFault(run.fault)} -> ${text}`;
  };
  try {
    const did = await act();
    return { line: say(`${did}${did === "" ? "" : "; "}${result()}`) };
  } catch (error) {
    signal.throwIfAborted();
    const fault = `${nameOf(run)} came to no end: ${messagesOf(error)}`;
    return { fault, line: say(`${result()}; ${fault}`) };
  }
}

function messagesOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? "" : `: ${messagesOf(error.cause)}`;
  return `${error.message}${cause}`;
}
