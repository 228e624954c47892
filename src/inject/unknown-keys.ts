import { ANNOTATIONS, PREFIX, VERSION_ANNOTATIONS } from "../api/annotations.ts";
import { nearest } from "../api/nearest.ts";
import type { Warning } from "../api/review.ts";

/** Keys that a user may set; `status` is the webhook's. */
const KNOWN: readonly string[] = Object.values(ANNOTATIONS).filter(
  (key) => key !== ANNOTATIONS.status,
);

const KNOWN_NAMES = KNOWN.map((key) => key.slice(PREFIX.length));

/** Keys that are right on a version: they say nothing on a pod, and are no typo of what does. */
const ELSEWHERE: readonly string[] = Object.values(VERSION_ANNOTATIONS);

/** Edits within which an unknown key counts as a misspelt one. */
const TYPO_DISTANCE = 2;

/** As many unknown keys as are looked at: nobody reads more, and 3 MB of them would take seconds. */
const MAX_UNKNOWN = 100;

/** Keys of ours that nobody knows. */
export interface UnknownKeys {
  /** Those that are nearly a known one, with that one. */
  readonly misspelt: readonly { readonly key: string; readonly meant: string }[];
  /** The others: another release may know them. */
  readonly warnings: readonly Warning[];
}

/** Sorts out the keys, all of which have our prefix, that are none of ours. */
export function unknownKeysOf(keys: readonly string[]): UnknownKeys {
  const unknown = keys
    .filter((key) => !KNOWN.includes(key))
    .slice(0, MAX_UNKNOWN)
    .map((key) => ({ key, meant: ELSEWHERE.includes(key) ? undefined : nearestKnown(key) }));
  return {
    misspelt: unknown.flatMap(({ key, meant }) =>
      meant === undefined ? [] : [{ key, meant: PREFIX + meant }],
    ),
    warnings: unknown
      .filter(({ meant }) => meant === undefined)
      .map(({ key }) => ({
        reason: "UnknownAnnotation",
        message: `annotation ${key} is unknown and has no effect; known: ${KNOWN.join(", ")}`,
      })),
  };
}

function nearestKnown(key: string): string | undefined {
  return nearest(key.slice(PREFIX.length), KNOWN_NAMES, TYPO_DISTANCE);
}
