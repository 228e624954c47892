import { setInterval } from "node:timers/promises";

/** Does the work every so many milliseconds until the signal, one at a time; what it throws goes to `onError`. Keeps no process alive. */
export async function repeat(
  work: () => Promise<void>,
  options: {
    readonly everyMs: number;
    readonly signal: AbortSignal;
    readonly onError: (error: unknown) => void;
  },
): Promise<void> {
  const { everyMs, signal, onError } = options;
  try {
    for await (const _ of setInterval(everyMs, undefined, { signal, ref: false })) {
      await work().catch((error: unknown) => {
        // What fails at the end fails because of it, and nobody is there to hear it.
        if (!signal.aborted) onError(error);
      });
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
