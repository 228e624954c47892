import { isDeepStrictEqual } from "node:util";
import { isMap, Pair, type Document, type YAMLMap, type YAMLSeq } from "yaml";
import type { PatchOperation } from "../api/review.ts";
import { expandMerges, freeAnchors, keyText, mergedPairs, ownPair } from "./yaml-copy.ts";
import { plain } from "./yaml-dialect.ts";
import { newNode, newText } from "./yaml-new.ts";
import { indexIn, parentOf } from "./yaml-parent.ts";

/**
 * Applies operations of RFC 6902 to the tree of a document, below a place of it, such as `/items/3/spec/template`. Each one
 * sees what those before it did. A map on the way that is absent or null is made where something is added, as the API
 * server makes the metadata of a template's pod. Throws on an operation that does not fit.
 */
export function patchDocument(
  tree: Document,
  prefix: string,
  operations: readonly PatchOperation[],
): void {
  for (const operation of operations) {
    const pointer = `${prefix}${operation.path}`;
    if (!patch(tree, parsePointer(pointer), operation)) {
      throw new Error(`the patch does not fit: ${operation.op} ${pointer}`);
    }
  }
}

/** What changes the tree; `add` and `replace` bring a value. */
type Change = Exclude<PatchOperation, { readonly op: "test" }>;

function patch(tree: Document, path: readonly string[], operation: PatchOperation): boolean {
  if (operation.op === "test") return isDeepStrictEqual(valueAt(tree, path), operation.value);
  const token = path.at(-1);
  if (token === undefined) {
    tree.contents = operation.op === "remove" ? null : newNode(tree, operation.value);
    return true;
  }
  const isAdd = operation.op === "add";
  const parent = parentOf(tree, path.slice(0, -1), isAdd);
  if (parent === undefined) return false;
  const { node, isInFlow } = parent;
  const isDone = isMap(node)
    ? patchMap(tree, node, token, operation)
    : patchList(tree, node, token, operation);
  // `{}` had to be written for an empty map: what is in it now is written as its neighbours are.
  if (isAdd && node.items.length === 1 && !isInFlow) node.flow = false;
  return isDone;
}

function patchMap(tree: Document, map: YAMLMap, key: string, operation: Change): boolean {
  // What is merged would show in the place of what is removed.
  if (operation.op === "remove") expandMerges(tree, map);
  const pair = ownPair(map, key);
  if (pair !== undefined) {
    freeAnchors(tree, pair.value);
    if (operation.op === "remove") map.items.splice(map.items.indexOf(pair), 1);
    else pair.value = newNode(tree, operation.value);
    return true;
  }
  const mayAdd =
    operation.op === "add" || mergedPairs(tree, map).some((each) => keyText(each) === key);
  if (!mayAdd || operation.op === "remove") return false;
  map.items.push(new Pair(newText(key), newNode(tree, operation.value)));
  return true;
}

function patchList(tree: Document, { items }: YAMLSeq, token: string, operation: Change): boolean {
  const isAdd = operation.op === "add";
  const index = isAdd && token === "-" ? items.length : indexIn(token);
  if (index === undefined || index >= items.length + (isAdd ? 1 : 0)) return false;
  if (!isAdd) freeAnchors(tree, items[index]);
  const added = operation.op === "remove" ? [] : [newNode(tree, operation.value)];
  items.splice(index, isAdd ? 0 : 1, ...added);
  return true;
}

function valueAt(tree: Document, path: readonly string[]): unknown {
  let value: unknown = plain(tree);
  for (const token of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, token)) {
      return undefined;
    }
    value = (value as Readonly<Record<string, unknown>>)[token];
  }
  return value;
}

function parsePointer(pointer: string): readonly string[] {
  return pointer
    .split("/")
    .slice(1)
    .map((token) => token.replaceAll("~1", "/").replaceAll("~0", "~"));
}
