/** Who had a thing last, such as a location that jobs write to, as this process knows before its caches do. */
export interface Turns<T> {
  /** Whoever has the turn; undefined when nobody has. */
  holder(thing: string): T | undefined;
  /** Gives the turn, whoever had it. */
  give(thing: string, holder: T): void;
  /** Ends a turn, since the caches show what came of it. */
  end(thing: string): void;
}

/** How long the writes of one pass may take to come back by the watches; then it counts as failed. */
const TURN_MS = 30_000;

/** No turns; `now` gives milliseconds. */
export function createTurns<T>(now: () => number = () => performance.now()): Turns<T> {
  const turns = new Map<string, { readonly holder: T; readonly untilMs: number }>();
  return {
    holder(thing) {
      const turn = turns.get(thing);
      if (turn === undefined || now() < turn.untilMs) return turn?.holder;
      turns.delete(thing);
      return undefined;
    },
    give(thing, holder) {
      const at = now();
      // The oldest come first.
      for (const [key, { untilMs }] of turns) {
        if (at < untilMs) break;
        turns.delete(key);
      }
      turns.delete(thing);
      turns.set(thing, { holder, untilMs: at + TURN_MS });
    },
    end: (thing) => void turns.delete(thing),
  };
}
