/** Edits (insert, delete, replace) between two texts, or `limit + 1` when there are more than `limit`. */
export function editDistance(first: string, second: string, limit: number): number {
  const tooFar = limit + 1;
  if (Math.abs(first.length - second.length) > limit) return tooFar;
  const [a, b] = withoutCommonEnds(first, second);
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = Array.from({ length: b.length + 1 }, () => tooFar);
    current[0] = row;
    let least = row;
    // Cells further from the diagonal than the limit hold more than the limit.
    const last = Math.min(b.length, row + limit);
    for (let column = Math.max(1, row - limit); column <= last; column++) {
      const replaced = (previous[column - 1] ?? tooFar) + (a[row - 1] === b[column - 1] ? 0 : 1);
      const added = (current[column - 1] ?? tooFar) + 1;
      const removed = (previous[column] ?? tooFar) + 1;
      const cell = Math.min(replaced, added, removed);
      current[column] = cell;
      least = Math.min(least, cell);
    }
    if (least > limit) return tooFar;
    previous = current;
  }
  return Math.min(previous[b.length] ?? tooFar, tooFar);
}

/** The candidate nearest to a text, compared in lower case, when at most `limit` edits away. */
export function nearest(
  text: string,
  candidates: readonly string[],
  limit: number,
): string | undefined {
  const wanted = text.toLowerCase();
  let best: string | undefined;
  let bestDistance = limit + 1;
  for (const candidate of candidates) {
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
