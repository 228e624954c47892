import { CST } from "yaml";

/** A pair of a map or an item of a list, as the tokens of a file have it. */
export type SourceItem = CST.CollectionItem;

const SPACE = new Set(["space", "newline", "comment", "comma"]);
const CLOSING = new Set(["flow-map-end", "flow-seq-end"]);

/** True for an item that says something: comments after the last one are kept as an item, too. */
export function hasContent({ start, key, sep, value }: SourceItem): boolean {
  return Boolean(key ?? sep ?? value) || start.some(({ type }) => !SPACE.has(type));
}

/** Where an item begins, with its dash, anchor or tag. */
export function itemStart({ start, key, sep, value }: SourceItem): number {
  const first = start.find(({ type }) => !SPACE.has(type)) ?? key ?? sep?.[0] ?? value;
  return first?.offset ?? 0;
}

/** Where an item ends, before spaces and comments. */
export function itemEnd({ start, key, sep, value }: SourceItem): number {
  if (value) return tokenEnd(value);
  const last = sep?.findLast(({ type }) => !SPACE.has(type));
  if (last !== undefined) return last.offset + last.source.length;
  if (key) return tokenEnd(key);
  const property = start.findLast(({ type }) => !SPACE.has(type));
  return property === undefined ? 0 : property.offset + property.source.length;
}

/** Where the value of a pair may stand: after the colon. */
export function afterColon({ sep }: SourceItem): number | undefined {
  const colon = sep?.find(({ type }) => type === "map-value-ind");
  return colon === undefined ? undefined : colon.offset + colon.source.length;
}

/** Where the value of a pair begins, with its anchor or tag. */
export function valueStart({ sep, value }: SourceItem): number | undefined {
  const property = sep?.find(({ type }) => type === "anchor" || type === "tag");
  return property?.offset ?? value?.offset;
}

/** Where a token ends; a text of many lines before its last line end. */
function tokenEnd(token: CST.Token): number {
  if (token.type === "flow-collection") {
    const closing = token.end.find(({ type }) => CLOSING.has(type));
    return (closing?.offset ?? token.offset) + 1;
  }
  if (token.type === "block-map" || token.type === "block-seq") {
    const last = (token.items as readonly SourceItem[]).findLast(hasContent);
    return last === undefined ? token.offset : itemEnd(last);
  }
  if (token.type === "block-scalar") {
    return token.offset + CST.stringify(token).replace(/\r?\n$/, "").length;
  }
  return token.offset + ("source" in token ? token.source.length : 0);
}

/** Where the line of a position begins, after a byte order mark. */
export function lineStart(text: string, position: number): number {
  // At the start of the text, lastIndexOf would find a line end that is after it.
  const start = position === 0 ? 0 : text.lastIndexOf("\n", position - 1) + 1;
  return text[start] === "\uFEFF" ? start + 1 : start;
}

/** Where the line of a position ends, before its line end. */
export function lineEnd(text: string, position: number): number {
  const end = text.indexOf("\n", position);
  if (end === -1) return text.length;
  return end > position && text[end - 1] === "\r" ? end - 1 : end;
}

/** How far a position is from the start of its line. */
export function column(text: string, position: number): number {
  return position - lineStart(text, position);
}
