import { createRandom, type Random } from "../fuzz/random.ts";

/** When a fault comes: so long after something was seen. */
export interface Moment<After extends string = string> {
  readonly after: After;
  readonly delayMs: number;
}

/** What takes the product, or what it can not do without, away. */
export type Outage<M> =
  /** The process of the replica that leads is killed; or those of both. */
  | { readonly is: "leader killed" | "both replicas killed"; readonly at: M }
  /** The pod that leads is deleted, and hands the lease over. */
  | { readonly is: "leader deleted"; readonly at: M }
  | { readonly is: "scaled to 0" | "API server away"; readonly at: M; readonly forMs: number };

/** For how long the API server is away, and all replicas are. */
export const AWAY_MS = 10_000;
export const SCALED_MS = 15_000;

/** Seed of what concerns the whole campaign; runs have their own index. */
const CAMPAIGN = -1;

/** A fault as far as it is told in words. */
export interface DescribedFault {
  readonly is: string;
  readonly at?: Moment;
  readonly forMs?: number;
  readonly propagation?: string;
  readonly delayMs?: number;
}

/** A fault in a few words. */
export function describeFault({ is, at, forMs, propagation, delayMs }: DescribedFault): string {
  const words: string[] = [is];
  if (propagation !== undefined) words.push(`(${propagation})`);
  if (forMs !== undefined) words.push(`for ${forMs} ms`);
  if (at !== undefined) words.push(`${at.delayMs} ms after ${at.after}`);
  if (delayMs !== undefined) words.push(`${delayMs} ms after it was made`);
  return words.join(" ");
}

/** Random choices that concern the whole campaign. */
export function randomOfCampaign(seed: number): Random {
  return createRandom(seed, CAMPAIGN);
}

/** So many cards: as often as it takes, the whole deck in a random order. */
export function deal<T>(deck: readonly T[], count: number, random: Random): readonly T[] {
  const cards: T[] = [];
  while (cards.length < count) cards.push(...shuffled(deck, random));
  return cards.slice(0, count);
}

function shuffled<T>(items: readonly T[], random: Random): readonly T[] {
  return items
    .map((item) => ({ item, rank: random.next() }))
    .toSorted((one, other) => one.rank - other.rank)
    .map(({ item }) => item);
}
