import {
  isCollection,
  isMap,
  isNode,
  visit,
  type Document,
  type Node,
  type YAMLMap,
  type YAMLSeq,
} from "yaml";
import { blockEdits, type Entry } from "./block-edits.ts";
import { flowEdits } from "./flow-edits.ts";
import type { Edit } from "./text-edit.ts";
import { column, hasContent, itemStart, type SourceItem } from "./yaml-position.ts";
import type { Layout } from "./yaml-render.ts";

/**
 * What to change in the text of a document so that it says what its tree says; nothing when the tree is as it was read, and
 * undefined when the text would have to be written anew. Nodes that were read have a range, and new ones have none; the
 * tokens of a map or list still tell what it held.
 */
export function editsOf(layout: Layout, tree: Document): readonly Edit[] | undefined {
  return nodeEdits(layout, tree.contents, -1);
}

/** `outer` is the column of the pair or item that holds the node. */
function nodeEdits(layout: Layout, node: unknown, outer: number): readonly Edit[] | undefined {
  if (!wasRead(node)) return undefined;
  if (!isCollection(node)) return [];
  const token = node.srcToken;
  if (token === undefined || !("items" in token)) return isAsRead(node) ? [] : undefined;
  const originals = (token.items as readonly SourceItem[]).filter(hasContent);
  const entries = entriesOf(layout, node, originals);
  if (entries === undefined) return undefined;
  const isSame =
    entries.length === originals.length && entries.every(({ edits }) => edits?.length === 0);
  if (isSame) return [];
  return token.type === "flow-collection"
    ? flowEdits(layout, token, originals, entries)
    : blockEdits(layout, originals, entries, outer);
}

/** Undefined when it can not be told which entry was read from which tokens. */
function entriesOf(
  layout: Layout,
  node: YAMLMap | YAMLSeq,
  originals: readonly SourceItem[],
): readonly Entry[] | undefined {
  if (isMap(node)) {
    return node.items.map((pair): Entry => {
      const item = pair.srcToken;
      if (item === undefined) return { content: pair, item, edits: undefined };
      if (pair.value === null) return { content: pair, item, edits: [] };
      const edits = nodeEdits(layout, pair.value, column(layout.text, itemStart(item)));
      return { content: pair, item, edits };
    });
  }
  const items = node.items as readonly Node[];
  const entries: Entry[] = [];
  let next = 0;
  for (const [index, content] of items.entries()) {
    const isNew = !wasRead(content);
    const known = isNew ? items.slice(index).find(wasRead) : content;
    const place = known === undefined ? originals.length : placeOf(known, originals, next);
    if (place === -1) return undefined;
    // What is new takes the place of what is gone, as far as there is some.
    const item = isNew && place === next ? undefined : originals[isNew ? next : place];
    const outer = item === undefined ? 0 : column(layout.text, itemStart(item));
    entries.push({ content, item, edits: nodeEdits(layout, content, outer) });
    if (item !== undefined) next = isNew ? next + 1 : place + 1;
  }
  return entries;
}

/** The tokens that an item was read from; an item without text has none of its own, nor has a pair within `[ ]`. */
function placeOf({ srcToken }: Node, originals: readonly SourceItem[], start: number): number {
  return originals.findIndex(
    ({ key, value }, index) =>
      index >= start && (srcToken === undefined ? key !== undefined || !value : value === srcToken),
  );
}

/** A pair within `[ ]` is a map without tokens of its own. */
function isAsRead(node: YAMLMap | YAMLSeq): boolean {
  let isRead = node.items.length === 1;
  visit(node, {
    Node: (_, each) => {
      isRead &&= wasRead(each);
    },
  });
  return isRead;
}

function wasRead(node: unknown): node is Node {
  return isNode(node) && Array.isArray(node.range);
}
