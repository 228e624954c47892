import { changeBytes, json, type Wire } from "./bytes.ts";
import type { Draft } from "./draft.ts";
import { changeMeaning } from "./meaning.ts";
import { createRandom } from "./random.ts";
import type { Corpus } from "./seeds.ts";
import { uidOf } from "./gather.ts";
import { changeStructure } from "./structure.ts";
import { changeAt } from "./tree.ts";

/** One review of a run, ready to be sent. */
export interface Review extends Wire {
  readonly index: number;
  readonly endpoint: "mutate" | "validate" | "hint";
  /** What it was made from and what was done to it, in words. */
  readonly made: string;
}

const ENDPOINTS = ["mutate", "mutate", "mutate", "validate", "hint"] as const;

/** Of the reviews, so many are as they should be; bytes, then structure, then meaning is changed in the others. */
const AS_THEY_ARE = 0.03;
const BYTES = 0.12;
const STRUCTURE = 0.45;

/** Makes a review: the same for the same seed and index. The first are those that all others are made from. */
export function makeReview(seed: number, index: number, { seeds, snapshots }: Corpus): Review {
  const random = createRandom(seed, index);
  const first = seeds[index];
  const chosen = first ?? random.pick(seeds);
  const isOwn = first !== undefined || random.chance(0.6);
  const snapshot = isOwn ? chosen.snapshot : random.below(snapshots.length);
  const uid = uidOf(index, snapshot);
  const draft: Draft = {
    seed: chosen,
    random,
    tree: changeAt(chosen.review, ["request", "uid"], () => uid),
    said: [],
  };
  const wire = first === undefined ? mutate(draft) : asItIs(draft);
  const made = [`${chosen.name} (snapshot ${snapshot})`, ...draft.said].join("; ");
  const endpoint = first === undefined ? random.pick(ENDPOINTS) : "mutate";
  return { ...wire, index, endpoint, made };
}

function mutate(draft: Draft): Wire {
  const { random } = draft;
  const kind = random.next();
  if (kind < AS_THEY_ARE) return asItIs(draft);
  const isBytes = kind < AS_THEY_ARE + BYTES;
  const changes = isBytes ? random.below(2) : random.between(1, 4);
  for (let left = changes; left > 0; left--) {
    if (kind < AS_THEY_ARE + BYTES + STRUCTURE && random.chance(0.8)) changeStructure(draft);
    else changeMeaning(draft);
  }
  return isBytes ? changeBytes(draft) : asItIs(draft);
}

function asItIs({ tree }: Draft): Wire {
  return { ...json(Buffer.from(JSON.stringify(tree))), tree };
}
