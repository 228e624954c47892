import {
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  Pair,
  Scalar,
  visit,
  YAMLMap,
  YAMLSeq,
  type Alias,
  type Document,
  type Node,
} from "yaml";

/**
 * Lets the anchors of a node go, before it is changed or removed: what named them gets copies of what they stand for now.
 * The anchors themselves stay where they are, and nothing names them.
 */
export function freeAnchors(tree: Document, node: unknown): void {
  const anchored = new Set<unknown>();
  if (isNode(node)) {
    visit(node, {
      Node: (_, each) => {
        if (hasAnchor(each)) anchored.add(each);
      },
    });
  }
  freeAliases(tree, anchored);
}

/** The same for the anchor of the node alone: what is below it is not changed. */
export function freeAnchor(tree: Document, node: Node): void {
  if (hasAnchor(node)) freeAliases(tree, new Set([node]));
}

function hasAnchor(node: Node): boolean {
  return !isAlias(node) && Boolean(node.anchor);
}

function freeAliases(tree: Document, anchored: ReadonlySet<unknown>): void {
  if (anchored.size === 0) return;
  const copies = new Map<Alias, Node>();
  visit(tree, {
    Alias: (_, alias) => {
      if (anchored.has(alias.resolve(tree))) copies.set(alias, copyOf(tree, alias));
    },
  });
  visit(tree, { Alias: (_, alias) => copies.get(alias) });
}

/** A copy of a node without anchors, aliases and comments, that can stand anywhere in the document. */
export function copyOf(tree: Document, node: unknown): Node {
  if (isAlias(node)) return copyOf(tree, node.resolve(tree));
  if (isMap(node)) {
    const copy = new YAMLMap(tree.schema);
    copy.items = node.items.map(
      ({ key, value }) => new Pair(copyOf(tree, key), copyOf(tree, value)),
    );
    return sameStyle(copy, node);
  }
  if (isSeq(node)) {
    const copy = new YAMLSeq(tree.schema);
    copy.items = node.items.map((item) => copyOf(tree, item));
    return sameStyle(copy, node);
  }
  if (!isScalar(node)) return new Scalar(null);
  const copy = node.clone() as Scalar;
  delete copy.anchor;
  delete copy.range;
  return withoutComments(copy);
}

/** The node itself, without what was written around it. */
export function withoutComments<T extends Node>(node: T): T {
  delete node.commentBefore;
  delete node.comment;
  delete node.spaceBefore;
  return node;
}

function sameStyle<T extends YAMLMap | YAMLSeq>(copy: T, { flow, tag }: YAMLMap | YAMLSeq): T {
  if (flow !== undefined) copy.flow = flow;
  if (tag !== undefined) copy.tag = tag;
  return copy;
}

/** The pair of a key that the map itself has. */
export function ownPair(map: YAMLMap, key: string): Pair | undefined {
  return map.items.find((pair) => keyText(pair) === key);
}

/** Every pair that a map gets by `<<` and does not have itself. */
export function mergedPairs(tree: Document, map: YAMLMap): readonly Pair[] {
  const pairs = map.items.filter(isMerge).flatMap(({ value }) => sourcesOf(tree, value));
  const known = new Set(map.items.map(keyText));
  return pairs.filter((pair) => {
    const key = keyText(pair);
    if (known.has(key)) return false;
    known.add(key);
    return true;
  });
}

function sourcesOf(tree: Document, value: unknown): readonly Pair[] {
  const node = isAlias(value) ? value.resolve(tree) : value;
  if (isSeq(node)) return node.items.flatMap((each) => sourcesOf(tree, each));
  if (!isMap(node)) return [];
  return [...node.items.filter((pair) => !isMerge(pair)), ...mergedPairs(tree, node)];
}

/** Replaces each `<<` of a map by copies of what it brings. */
export function expandMerges(tree: Document, map: YAMLMap): void {
  if (!map.items.some(isMerge)) return;
  const merged = mergedPairs(tree, map);
  map.items = [
    ...map.items.filter((pair) => !isMerge(pair)),
    ...merged.map(({ key, value }) => new Pair(copyOf(tree, key), copyOf(tree, value))),
  ];
}

/** True for `<<`, which brings the pairs of another map. */
export function isMerge({ key }: Pair): boolean {
  return isScalar(key) && typeof key.value === "symbol";
}

/** The key as JSON has it; undefined for `<<`, and for one that JSON can not have. */
export function keyText(pair: Pair): string | undefined {
  const { key } = pair;
  if (!isScalar(key) || isMerge(pair)) return undefined;
  return String((key.value as string | number | boolean | null) ?? "");
}
