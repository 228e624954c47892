import { anyPath, change, type Draft } from "./draft.ts";
import { HOSTILE_KEYS, HOSTILE_TEXTS, NUMBERS, OTHER_TYPES } from "./hostile.ts";
import type { Random } from "./random.ts";
import { REMOVED, listOf, valueAt, withField } from "./tree.ts";

/** Most items of a list that is grown. */
const MANY = 400;

type Change = (value: unknown, random: Random, tree: unknown, draft: Draft) => unknown;

/** What may become of a part of a review, whatever it means; some more often than others. */
const CHANGES: readonly (readonly [weight: number, what: string, Change])[] = [
  [5, "removed", () => REMOVED],
  [4, "null", () => null],
  [6, "another type", (_, random) => random.pick(OTHER_TYPES)],
  [4, "a hostile text", (_, random) => random.pick(HOSTILE_TEXTS)],
  [2, "a number", (_, random) => random.pick(NUMBERS)],
  [3, "a hostile key", addKey],
  [1, "in a list", (value) => [value]],
  [1, "in an object", (value) => ({ value })],
  [3, "what stands elsewhere", (_, __, tree, draft) => valueAt(tree, anyPath(draft))],
  [2, "one item twice", repeatOne],
  [1, "in reverse", (value) => (Array.isArray(value) ? value.toReversed() : value)],
  [0.3, "grown", grow],
];
const TOTAL = CHANGES.reduce((sum, [weight]) => sum + weight, 0);

/** Changes the structure of the review at one place. */
export function changeStructure(draft: Draft): void {
  const { random, tree } = draft;
  let left = random.next() * TOTAL;
  const chosen = CHANGES.find(([weight]) => (left -= weight) < 0);
  if (chosen === undefined) return;
  const [, what, to] = chosen;
  change(draft, anyPath(draft), what, (value) => to(value, random, tree, draft));
}

function addKey(value: unknown, random: Random): unknown {
  const inner = random.chance(0.5) ? random.pick(OTHER_TYPES) : random.pick(HOSTILE_TEXTS);
  return withField(value, random.pick(HOSTILE_KEYS), inner);
}

function repeatOne(value: unknown, random: Random): unknown {
  const items = listOf(value);
  if (items.length === 0) return [value, value];
  return items.toSpliced(random.below(items.length), 0, random.pick(items));
}

/** Lists and maps get hundreds of entries, texts thousands of characters. */
function grow(value: unknown, random: Random): unknown {
  const size = random.between(2, MANY);
  if (typeof value === "string") return value.repeat(size);
  if (typeof value !== "object" || value === null) return Array.from({ length: size }, () => value);
  if (Array.isArray(value)) {
    return Array.from({ length: size }, (_, index) => value[index % value.length] as unknown);
  }
  const [first] = Object.values(value) as readonly unknown[];
  const more = Array.from({ length: size }, (_, index) => [`k${index}`, first] as const);
  return { ...value, ...Object.fromEntries(more) };
}
