/** Random choices that the same seed gives again. */
export interface Random {
  /** A number from 0 up to 1, which is none of them. */
  next(): number;
  /** A whole number from 0 up to the limit, which is none of them. */
  below(limit: number): number;
  /** A whole number between the two, small ones more often. */
  between(least: number, most: number): number;
  /** True so often. */
  chance(probability: number): boolean;
  pick<T>(items: readonly [T, ...T[]] | readonly T[]): T;
}

/** Starts the choices for one review of a run: they depend on nothing else, so that it can be made again alone. */
export function createRandom(seed: number, index: number): Random {
  let state = mixed(mixed(seed) ^ index);
  const next = (): number => {
    state = (state + 0x9e3779b9) | 0;
    return mixed(state) / 2 ** 32;
  };
  const below = (limit: number): number => Math.floor(next() * limit);
  return {
    next,
    below,
    between: (least, most) => least + Math.floor(next() ** 3 * (most + 1 - least)),
    chance: (probability) => next() < probability,
    pick: <T>(items: readonly T[]) => items[below(items.length)] as T,
  };
}

/** The last step of SplitMix32: neighbours become strangers. */
function mixed(value: number): number {
  let z = value;
  z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
  z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
  return (z ^ (z >>> 15)) >>> 0;
}
