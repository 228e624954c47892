import type { Job } from "../api/kube-types.ts";

/** Who was let go to a location last, as this process knows before its caches do. */
export interface Turns {
  /** The job that has the turn; undefined when nobody has. */
  holder(location: string): Job | undefined;
  /** Gives the turn to a job, whoever had it. */
  give(location: string, job: Job): void;
  /** Ends a turn, since the caches show what came of it. */
  end(location: string): void;
}

/** How long the writes of one pass may take to come back by the watches; then it counts as failed. */
const TURN_MS = 30_000;

/** No turns; `now` gives milliseconds. */
export function createTurns(now: () => number = () => performance.now()): Turns {
  const turns = new Map<string, { readonly job: Job; readonly untilMs: number }>();
  return {
    holder(location) {
      const turn = turns.get(location);
      if (turn === undefined || now() < turn.untilMs) return turn?.job;
      turns.delete(location);
      return undefined;
    },
    give: (location, job) => void turns.set(location, { job, untilMs: now() + TURN_MS }),
    end: (location) => void turns.delete(location),
  };
}
