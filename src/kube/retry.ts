import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "../telemetry/logger.ts";
import { backoffDelay } from "./backoff.ts";
import { isTransient } from "./errors.ts";

const BACKOFF = { baseMs: 500, maxMs: 15_000 };

/** Does the work again, ever more slowly, while the API server can not be reached; rejects with any other error, and when stopped. */
export async function untilReached<T>(
  work: () => Promise<T>,
  { log, signal }: { readonly log: Logger; readonly signal: AbortSignal },
): Promise<T> {
  for (let failures = 1; ; failures += 1) {
    try {
      return await work();
    } catch (err) {
      if (!isTransient(err)) throw err;
      log.warn({ err, failures }, "Cannot reach the API server, will try again");
      await sleep(backoffDelay(failures, BACKOFF), undefined, { signal });
    }
  }
}
