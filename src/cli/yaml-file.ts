import { Composer, LineCounter, Parser, type CST, type Document } from "yaml";
import type { KubeObject } from "../api/kube-types.ts";
import type { FileFault } from "./file-fault.ts";
import { DIALECT, plain } from "./yaml-dialect.ts";
import { faultOf } from "./yaml-fault.ts";

/** One document of a file. */
export interface YamlDocument {
  /** The text of the whole file, in which the tree's positions are. */
  readonly text: string;
  /** Where the document begins, with the comments above it, and where the next one does. */
  readonly start: number;
  readonly end: number;
  readonly tree: Document;
  /** The objects that it holds, as they were read; none for a document of comments. */
  readonly objects: readonly FoundObject[];
}

/** An object of a document. */
export interface FoundObject {
  /** JSON pointer to it in the document: empty for the whole, `/items/3` in a List. */
  readonly pointer: string;
  readonly object: KubeObject;
}

/** A file that can be read whole, or what is wrong with its documents. */
export type ParsedFile =
  | { readonly ok: true; readonly documents: readonly YamlDocument[] }
  | { readonly ok: false; readonly faults: readonly FileFault[] };

/** Parses a file of YAML or JSON; `name` is what faults call it. */
export function parseYamlFile(text: string, name: string): ParsedFile {
  const lines = new LineCounter();
  const tokens = [...new Parser(lines.addNewLine).parse(text)];
  const trees = [...new Composer(DIALECT).compose(tokens)];
  const faults = trees.flatMap((tree): readonly FileFault[] => {
    const fault = faultOf(text, tree);
    if (fault === undefined) return [];
    const { line, col } = lines.linePos(fault.position);
    return [{ file: name, line, column: col, message: fault.message }];
  });
  if (faults.length > 0) return { ok: false, faults };
  const ends = endsOf(tokens, text.length);
  return {
    ok: true,
    documents: trees.map((tree, index) => ({
      text,
      start: ends[index - 1] ?? 0,
      end: ends[index] ?? text.length,
      tree,
      objects: objectsOf("", plain(tree)),
    })),
  };
}

/** Where each document ends: what is after the last one is a part of it. */
function endsOf(tokens: readonly CST.Token[], length: number): readonly number[] {
  const ends = tokens.flatMap(({ type }, index) => {
    if (type !== "document") return [];
    return tokens.slice(index + 1).find((token) => token.type !== "doc-end")?.offset ?? length;
  });
  return [...ends.slice(0, -1), length];
}

/** An object, or the objects of a List of any kind. */
function objectsOf(pointer: string, value: unknown): readonly FoundObject[] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [];
  const { kind, items } = value as { readonly kind?: unknown; readonly items?: unknown };
  if (typeof kind !== "string" || !kind.endsWith("List") || !Array.isArray(items)) {
    return [{ pointer, object: value }];
  }
  return items.flatMap((item, index) => objectsOf(`${pointer}/items/${index}`, item));
}
