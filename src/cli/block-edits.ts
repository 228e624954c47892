import { isPair, Pair, Scalar, type Node } from "yaml";
import { withoutComments } from "./yaml-copy.ts";
import type { Edit } from "./text-edit.ts";
import {
  afterColon,
  column,
  itemEnd,
  itemStart,
  lineEnd,
  lineStart,
  valueStart,
  type SourceItem,
} from "./yaml-position.ts";
import { blockLines, type Layout } from "./yaml-render.ts";

/** A pair of a map or an item of a list as it is now. */
export interface Entry {
  readonly content: Pair | Node;
  /** What it was read from; undefined for one that is new. */
  readonly item: SourceItem | undefined;
  /** What changed within it; undefined when its value has to be written anew. */
  readonly edits: readonly Edit[] | undefined;
}

/** Edits of a map or list that is written a line for each entry. `outer` is the column of what holds it. */
export function blockEdits(
  layout: Layout,
  originals: readonly SourceItem[],
  entries: readonly Entry[],
  outer: number,
): readonly Edit[] | undefined {
  const { text } = layout;
  const [first] = originals;
  const kept = new Set(entries.map(({ item }) => item));
  if (first === undefined || !originals.some((item) => kept.has(item))) return undefined;
  const own = column(text, itemStart(first));
  const isOnOwnLine = /^ *$/.test(text.slice(lineStart(text, itemStart(first)), itemStart(first)));
  if (!isOnOwnLine && entries[0]?.item !== first) return undefined;

  const edits = originals.filter((item) => !kept.has(item)).map((item) => removal(text, item));
  let place = aboveFirst(text, first);
  for (const { content, item, edits: inner } of entries) {
    if (item === undefined) {
      const lines = blockLines(layout, content);
      edits.push({ start: place, end: place, text: onNewLines(layout, own, lines) });
      continue;
    }
    const changes = inner ?? [rewriting(layout, own, item, content)];
    if (!changes.every((edit) => edit !== undefined)) return undefined;
    edits.push(...changes);
    place = below(text, item, item === originals.at(-1) ? outer : own);
  }
  return edits;
}

function onNewLines({ newline }: Layout, indent: number, lines: readonly string[]): string {
  const prefix = newline + " ".repeat(indent);
  return lines.map((line) => (line === "" ? newline : prefix + line)).join("");
}

/** The value in its place, among the comments around it. */
function rewriting(
  layout: Layout,
  indent: number,
  item: SourceItem,
  content: Pair | Node,
): Edit | undefined {
  const { text } = layout;
  const start = isPair(content) ? afterColon(item) : itemStart(item);
  if (start === undefined) return undefined;
  const value = (isPair(content) ? valueStart(item) : undefined) ?? start;
  const end = lineEnd(text, itemEnd(item));
  const beside = lineEnd(text, value) === end ? commentIn(text.slice(itemEnd(item), end)) : "";

  const [line = "", ...lines] = blockLines(layout, bare(content));
  // Of a pair, only what is after the key of one letter.
  const head = isPair(content) ? line.slice(2) : line;
  if (!text.slice(start, value).includes("#")) {
    return { start, end, text: head + beside + onNewLines(layout, indent, lines) };
  }
  if (head !== "" && column(text, value) > indent) {
    const written = head.trimStart() + beside + onNewLines(layout, indent, lines);
    return { start: value, end, text: written };
  }
  if (head !== "") {
    const comment = commentIn(text.slice(start, lineEnd(text, start)));
    return { start, end, text: head + comment + onNewLines(layout, indent, lines) };
  }
  const [first = "", ...others] = lines;
  return {
    start: lineEnd(text, lineStart(text, lineStart(text, value) - 1)),
    end,
    text: onNewLines(layout, indent, [first + beside, ...others]),
  };
}

function commentIn(line: string): string {
  return /[ \t]+#.*$/.exec(line)?.[0] ?? "";
}

/** What was read is written without the comments around it, which stay in the text. */
function bare(content: Pair | Node): Pair | Node {
  if (isPair(content)) return new Pair(new Scalar("k"), bare(content.value as Node) as Node);
  return withoutComments(content.clone() as Node);
}

/** Whole lines, with the line end before them. Comments above stay: they may be about more than this. */
function removal(text: string, item: SourceItem): Edit {
  const start = lineStart(text, itemStart(item));
  const end = lineEnd(text, itemEnd(item));
  return start === 0
    ? { start, end: text.indexOf("\n", end) + 1, text: "" }
    : { start: lineEnd(text, lineStart(text, start - 1)), end, text: "" };
}

/** The end of the line above a map or list, past the comments above its first entry, which are about that entry. */
function aboveFirst(text: string, first: SourceItem): number {
  let start = lineStart(text, itemStart(first));
  while (text[start - 1] === "\n") {
    const above = lineStart(text, start - 1);
    if (!/^[ \t]*(?:#.*)?\r?$/.test(text.slice(above, start - 1))) return lineEnd(text, above);
    start = above;
  }
  return start;
}

/** The end of the last line of an item, past the comments that are further in than the column. */
function below(text: string, item: SourceItem, columnOfHolder: number): number {
  let end = lineEnd(text, itemEnd(item));
  for (;;) {
    const next = text.indexOf("\n", end) + 1;
    if (next === 0) return end;
    const nextEnd = lineEnd(text, next);
    const indent = /^ *(?=#)/.exec(text.slice(next, nextEnd))?.[0].length ?? -1;
    if (indent <= columnOfHolder) return end;
    end = nextEnd;
  }
}
