import {
  isAlias,
  isCollection,
  isMap,
  isScalar,
  isSeq,
  Pair,
  YAMLMap,
  type Document,
  type Node,
  type YAMLSeq,
} from "yaml";
import { copyOf, freeAnchor, freeAnchors, keyText, mergedPairs, ownPair } from "./yaml-copy.ts";
import { newText } from "./yaml-new.ts";

/** A map or list that may be changed: it shares nothing with other places of the document. */
export interface Parent {
  readonly node: YAMLMap | YAMLSeq;
  /** True within `{ }` or `[ ]`, where no block can stand. */
  readonly isInFlow: boolean;
}

/**
 * Walks to a map or list and makes each node on the way its place's own; undefined when there is none. Where it may create,
 * what is absent or null becomes a map.
 */
export function parentOf(
  tree: Document,
  path: readonly string[],
  mayCreate: boolean,
): Parent | undefined {
  let node: Node | null | undefined = tree.contents;
  let isInFlow = false;
  for (const token of path) {
    if (!isCollection(node)) return undefined;
    freeAnchor(tree, node);
    isInFlow ||= node.flow === true && node.items.length > 0;
    node = ownChild(tree, node, token, mayCreate);
  }
  if (!isMap(node) && !isSeq(node)) return undefined;
  freeAnchor(tree, node);
  return { node, isInFlow };
}

/** The index that a token of a pointer names; undefined for a text. */
export function indexIn(token: string): number | undefined {
  return /^(?:0|[1-9][0-9]*)$/.test(token) ? Number(token) : undefined;
}

function ownChild(
  tree: Document,
  parent: Node,
  token: string,
  mayCreate: boolean,
): Node | undefined {
  if (isSeq(parent)) {
    const index = indexIn(token);
    const item = index === undefined ? undefined : parent.items[index];
    if (index === undefined || !isAlias(item)) return item as Node | undefined;
    return (parent.items[index] = copyOf(tree, item));
  }
  if (!isMap(parent)) return undefined;
  const pair = ownPair(parent, token) ?? takeMerged(tree, parent, token);
  const value = pair?.value as Node | null | undefined;
  const isAbsent =
    value === undefined || value === null || (isScalar(value) && value.value === null);
  if (!isAbsent || !mayCreate) {
    if (pair === undefined || !isAlias(value)) return value ?? undefined;
    const copy = copyOf(tree, value);
    pair.value = copy;
    return copy;
  }
  const made = new YAMLMap(tree.schema);
  freeAnchors(tree, value);
  if (pair === undefined) parent.items.push(new Pair(newText(token), made));
  else pair.value = made;
  return made;
}

/** Makes a pair that a map has by `<<` its own, so that it can be changed. */
function takeMerged(tree: Document, map: YAMLMap, key: string): Pair | undefined {
  const merged = mergedPairs(tree, map).find((pair) => keyText(pair) === key);
  if (merged === undefined) return undefined;
  const own = new Pair<unknown>(newText(key), copyOf(tree, merged.value));
  map.items.push(own);
  return own;
}
