import { isDeepStrictEqual } from "node:util";
import { parseAllDocuments, stringify, type Document } from "yaml";
import { editsOf } from "./document-edits.ts";
import { edited } from "./text-edit.ts";
import { DIALECT, plain, WRITTEN } from "./yaml-dialect.ts";
import type { YamlDocument } from "./yaml-file.ts";
import { layoutOf, type Layout } from "./yaml-render.ts";

/**
 * The text of a document as its tree is now. Only what says something else is written; where that can not be done, or would
 * read as something else than the tree, the document is written anew, with its comments if possible.
 */
export function printDocument(document: YamlDocument): string {
  const { text, start, end, tree } = document;
  const source = text.slice(start, end);
  const layout = layoutOf(document);
  const edits = editsOf(layout, tree);
  if (edits?.length === 0) return source;
  const value = plain(tree);
  const written = edits === undefined ? undefined : edited(text, start, end, edits);
  if (written !== undefined && says(written, value)) return written;
  if (layout.isJson) return inLines(layout, json(source, value));
  const mark = source.startsWith("\uFEFF") ? "\uFEFF" : "";
  const anew = mark + inLines(layout, tree.toString({ ...WRITTEN, ...layout.block }));
  // The library can not write every comment that it can read.
  return says(anew, value) ? anew : mark + inLines(layout, withoutComments(tree, value));
}

/** True when a text reads as the value. */
function says(text: string, value: unknown): boolean {
  const [tree, ...others] = parseAllDocuments(text, DIALECT);
  const isReadable = tree !== undefined && others.length === 0 && tree.errors.length === 0;
  return isReadable && isDeepStrictEqual(plain(tree), value);
}

function json(source: string, value: unknown): string {
  const indent = /^[ \t]+(?=")/m.exec(source)?.[0];
  return JSON.stringify(value, null, indent) + (source.endsWith("\n") ? "\n" : "");
}

function withoutComments(tree: Document, value: unknown): string {
  const start = tree.directives?.docStart === true ? "---\n" : "";
  return start + stringify(value, { ...DIALECT, ...WRITTEN, aliasDuplicateObjects: false });
}

/** The text with the line ends of the file; comments that were read have some. */
function inLines({ newline }: Layout, text: string): string {
  return text.replaceAll(/\r?\n/g, newline);
}
