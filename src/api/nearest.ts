/**
 * Cells that one search may look at, about 20 ms of work: the names are other people's, and everybody else's admission waits
 * meanwhile. What is not compared then is not suggested.
 */
const MAX_CELLS = 2_000_000;

/** Edits (insert, delete, replace) between two texts, or `limit + 1` when there are more than `limit`. */
export function editDistance(first: string, second: string, limit: number): number {
  const tooFar = limit + 1;
  if (Math.abs(first.length - second.length) > limit) return tooFar;
  const [a, b] = withoutCommonEnds(first, second);
  // Cells further from the diagonal than the limit hold more than the limit, so that each row is a band around it.
  let previous = Array.from<number>({ length: b.length + 2 }).fill(tooFar);
  let current = [...previous];
  for (let column = 0; column <= Math.min(b.length, limit); column++) previous[column] = column;
  for (let row = 1; row <= a.length; row++) {
    const start = Math.max(1, row - limit);
    const last = Math.min(b.length, row + limit);
    current[start - 1] = start === 1 ? row : tooFar;
    let least = current[start - 1] ?? tooFar;
    for (let column = start; column <= last; column++) {
      const replaced = (previous[column - 1] ?? tooFar) + (a[row - 1] === b[column - 1] ? 0 : 1);
      const added = (current[column - 1] ?? tooFar) + 1;
      const removed = (previous[column] ?? tooFar) + 1;
      const cell = Math.min(replaced, added, removed);
      current[column] = cell;
      least = Math.min(least, cell);
    }
    current[last + 1] = tooFar;
    if (least > limit) return tooFar;
    [previous, current] = [current, previous];
  }
  return Math.min(previous[b.length] ?? tooFar, tooFar);
}

/** Edits after which a text may still be meant: two for every five characters, since any short one is near every other. */
export function editsFor(text: string, most: number): number {
  return Math.min(most, Math.floor(text.length * 0.4));
}

/** The candidate nearest to a text, compared in lower case, when at most `limit` edits away. */
export function nearest(
  text: string,
  candidates: readonly string[],
  limit: number,
): string | undefined {
  const wanted = text.toLowerCase();
  const cellsOfOne = wanted.length * (2 * limit + 1) + 1;
  let best: string | undefined;
  let bestDistance = limit + 1;
  for (const candidate of candidates.slice(0, Math.ceil(MAX_CELLS / cellsOfOne))) {
    const distance = editDistance(wanted, candidate.toLowerCase(), bestDistance - 1);
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
    if (bestDistance === 0) break;
  }
  return best;
}

/** Names of one family differ in the middle only, and ten thousand of them are compared while a pod waits. */
function withoutCommonEnds(a: string, b: string): readonly [string, string] {
  const shorter = Math.min(a.length, b.length);
  let start = 0;
  while (start < shorter && a[start] === b[start]) start++;
  let end = 0;
  while (end < shorter - start && a.at(-1 - end) === b.at(-1 - end)) end++;
  return [a.slice(start, a.length - end), b.slice(start, b.length - end)];
}
