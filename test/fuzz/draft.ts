import type { Random } from "./random.ts";
import type { Seed } from "./seeds.ts";
import { changeAt, type Path } from "./tree.ts";

/** A review that is being made from a seed. */
export interface Draft {
  readonly seed: Seed;
  readonly random: Random;
  /** The review so far. */
  tree: unknown;
  /** What was done to it, in words. */
  readonly said: string[];
}

/** Changes one part of the review and says so. */
export function change(
  draft: Draft,
  path: Path,
  what: string,
  to: (value: unknown) => unknown,
): void {
  draft.tree = changeAt(draft.tree, path, to);
  draft.said.push(`${what} at /${path.join("/")}`);
}

/** A path in the object, seldom one in the rest of the review. */
export function anyPath({ seed, random }: Draft): Path {
  const inObject = seed.inObject.length > 0 && random.chance(0.85);
  return random.pick(inObject ? seed.inObject : seed.paths);
}
