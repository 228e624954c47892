import { isPair, type CST, type Node, type Pair } from "yaml";
import type { Entry } from "./block-edits.ts";
import type { Edit } from "./text-edit.ts";
import { itemEnd, itemStart, lineStart, valueStart, type SourceItem } from "./yaml-position.ts";
import { flowText, jsonLines, type Layout } from "./yaml-render.ts";

/** Edits of a map or list within `{ }` or `[ ]`; entries are on lines of their own when the first one is. */
export function flowEdits(
  layout: Layout,
  token: CST.FlowCollection,
  originals: readonly SourceItem[],
  entries: readonly Entry[],
): readonly Edit[] | undefined {
  const { text } = layout;
  const [first, second] = originals;
  const kept = entries.filter(({ item }) => item !== undefined);
  if (first === undefined || kept.length < originals.length) return undefined;
  const indent = indentOf(text, itemStart(first));
  const gap = indent === undefined ? gapBefore(text, second) : layout.newline + indent;
  const write = (content: Pair | Node): string =>
    layout.isJson && indent !== undefined
      ? jsonLines(content, stepTo(indent, text, token)).join(gap)
      : flowText(layout, content, text[token.offset + 1] === " ");

  const edits: Edit[] = [];
  let place: number | undefined;
  for (const { content, item, edits: inner } of entries) {
    if (item === undefined) {
      const added = write(content);
      const start = place ?? itemStart(first);
      const line = place === undefined ? `${added},${gap}` : `,${gap}${added}`;
      edits.push({ start, end: start, text: line });
      continue;
    }
    place = itemEnd(item);
    if (inner !== undefined) {
      edits.push(...inner);
      continue;
    }
    const start = isPair(content) ? valueStart(item) : itemStart(item);
    if (start === undefined) return undefined;
    const value = isPair(content) ? (content.value as Node) : content;
    edits.push({ start, end: place, text: write(value) });
  }
  return edits;
}

/** What is before a position on its line, when that is nothing but space. */
function indentOf(text: string, position: number): string | undefined {
  const before = text.slice(lineStart(text, position), position);
  return before.trim() === "" && before !== "" ? before : undefined;
}

/** How much further in the entries are than the line of the opening brace. */
function stepTo(indent: string, text: string, { offset }: CST.FlowCollection): string {
  const outer = /^[ \t]*/.exec(text.slice(lineStart(text, offset), offset))?.[0] ?? "";
  return indent.startsWith(outer) && indent !== outer ? indent.slice(outer.length) : "  ";
}

/** What is between a comma and the entry after it. */
function gapBefore(text: string, item: SourceItem | undefined): string {
  const comma = item?.start.find(({ type }) => type === "comma");
  if (item === undefined || comma === undefined) return " ";
  return /^[ \t]*$/.exec(text.slice(comma.offset + 1, itemStart(item)))?.[0] ?? " ";
}
