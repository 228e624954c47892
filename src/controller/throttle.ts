/** Remembers when something was last said, so that it is not said again at every look. */
export interface Throttle {
  /** True when it was not said within the interval; then it counts as said now (milliseconds since the epoch). */
  isDue(words: string, now: number): boolean;
}

/** Forgets the oldest words beyond `most`, so that memory stays bounded; those may be repeated early. */
export function createThrottle(options: {
  readonly everyMs: number;
  readonly most: number;
}): Throttle {
  const said = new Map<string, number>();
  return {
    isDue(words, now) {
      const last = said.get(words);
      if (last !== undefined && now - last < options.everyMs) return false;
      // Deleted first, since a Map keeps the place of a key that is set again.
      said.delete(words);
      said.set(words, now);
      const [oldest] = said.keys();
      if (said.size > options.most && oldest !== undefined) said.delete(oldest);
      return true;
    },
  };
}
