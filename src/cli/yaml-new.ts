import { Pair, Scalar, YAMLMap, YAMLSeq, type Document, type Node } from "yaml";

/**
 * Texts that the library would write bare or as a block, and that would read as something else: a bare << is a merge, the
 * spaces of a block are counted as if each level had two, the lines around a block can change how it ends, and kubectl
 * ends lines at some characters.
 */
const NEEDS_QUOTES = /^<<$|^\n* .*\n|\n$|[\u007F-\u009F\u2028\u2029\uFEFF]/s;

/** A text that is read as what it is. */
export function newText(text: string): Scalar<string> {
  const scalar = new Scalar(text);
  if (NEEDS_QUOTES.test(text)) scalar.type = Scalar.QUOTE_DOUBLE;
  return scalar;
}

/** The nodes of a value of JSON. */
export function newNode(tree: Document, value: unknown): Node {
  if (typeof value === "string") return newText(value);
  if (Array.isArray(value)) {
    const list = new YAMLSeq(tree.schema);
    list.items = value.map((item) => newNode(tree, item));
    return list;
  }
  if (typeof value !== "object" || value === null) return new Scalar(value);
  const map = new YAMLMap(tree.schema);
  map.items = Object.entries(value)
    .filter(([, each]) => each !== undefined)
    .map(([key, each]) => new Pair(newText(key), newNode(tree, each)));
  return map;
}
