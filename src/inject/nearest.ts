/** Edits (insert, delete, replace) between two texts, or `limit + 1` when there are more than `limit`. */
export function editDistance(a: string, b: string, limit: number): number {
  const tooFar = limit + 1;
  if (Math.abs(a.length - b.length) > limit) return tooFar;
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current: number[] = [];
    if (row <= limit) current[0] = row;
    // Cells further from the diagonal than the limit hold more than the limit.
    const last = Math.min(b.length, row + limit);
    let least = current[0] ?? tooFar;
    for (let column = Math.max(1, row - limit); column <= last; column++) {
      const replaced = (previous[column - 1] ?? tooFar) + (a[row - 1] === b[column - 1] ? 0 : 1);
      const cell = Math.min(
        replaced,
        (previous[column] ?? tooFar) + 1,
        (current[column - 1] ?? tooFar) + 1,
      );
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
