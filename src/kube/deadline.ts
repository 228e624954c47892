/** The reason of a signal that a deadline aborted by itself. */
export class TimeoutReached extends Error {
  override readonly name = "TimeoutReached";
}

/** A time limit on one piece of work, which the caller's signal ends too. */
export interface Deadline {
  readonly signal: AbortSignal;
  /** Starts the clock again, as after a sign of life. */
  restart(): void;
  /** Takes the time limit away; the caller's signal stays. */
  disarm(): void;
  /** Lets go of timer and listener; without it a long-lived signal would collect one for every piece of work. */
  end(): void;
}

/** Starts the clock; `signal.reason` is a TimeoutReached after `timeoutMs`, or the caller's reason. */
export function startDeadline(timeoutMs: number, outer?: AbortSignal): Deadline {
  const controller = new AbortController();
  const abort = (): void => controller.abort(outer?.reason);
  const timer = setTimeout(() => {
    controller.abort(new TimeoutReached(`no answer within ${timeoutMs} ms`));
  }, timeoutMs);
  if (outer?.aborted === true) abort();
  outer?.addEventListener("abort", abort, { once: true });
  return {
    signal: controller.signal,
    restart: () => void timer.refresh(),
    disarm: () => clearTimeout(timer),
    end() {
      clearTimeout(timer);
      outer?.removeEventListener("abort", abort);
    },
  };
}
