import { setTimeout as sleep } from "node:timers/promises";
import { RegistryError } from "./registry-error.ts";

/** Tries at one blob or manifest before its registry counts as away; the build as a whole is tried again after a longer pause. */
const MAX_TRIES = 6;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;

/** What goes with a step that is tried again. */
export interface Trying {
  /** Is told of every try that failed, with the pause before the next. */
  readonly onRetry: (error: RegistryError, pauseMs: number) => void;
  /** Ends the tries. */
  readonly closed: AbortSignal;
}

/** Does a step until it succeeds, or fails in a way that no other try can change. */
export async function inTries<T>(step: () => Promise<T>, { onRetry, closed }: Trying): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await step();
    } catch (error) {
      const isFinal = closed.aborted || tries >= MAX_TRIES;
      if (isFinal || !(error instanceof RegistryError) || !isWorthARetry(error)) throw error;
      const pause = Math.min(FIRST_PAUSE_MS * 2 ** (tries - 1), LONGEST_PAUSE_MS);
      const pauseMs = Math.min(Math.max(pause, error.retryAfterMs ?? 0), LONGEST_PAUSE_MS);
      onRetry(error, pauseMs);
      await sleep(pauseMs, undefined, { signal: closed });
    }
  }
}

/** What is sent may be spoilt on the way, or change under our hands: the digest says so, and a second look tells which. */
function isWorthARetry({ fault, message }: RegistryError): boolean {
  return fault === "unreachable" || (fault === "invalid" && /DIGEST_INVALID/.test(message));
}
