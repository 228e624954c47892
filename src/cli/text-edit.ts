/** A piece of a text and what takes its place. */
export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/**
 * A part of a text with edits made, whose positions are those of the whole text; undefined when two overlap that write
 * something.
 */
export function edited(
  text: string,
  start: number,
  end: number,
  edits: readonly Edit[],
): string | undefined {
  const parts: string[] = [];
  let position = start;
  for (const edit of edits.toSorted((a, b) => a.start - b.start || a.end - b.end)) {
    const from = edit.text === "" ? Math.max(edit.start, position) : edit.start;
    if (from < position || edit.end < from || edit.end > end) return undefined;
    parts.push(text.slice(position, from), edit.text);
    position = edit.end;
  }
  return [...parts, text.slice(position, end)].join("");
}
