import {
  Document,
  isPair,
  isScalar,
  Scalar,
  visit,
  YAMLMap,
  YAMLSeq,
  type CST,
  type Node,
  type Pair,
  type ToStringOptions,
} from "yaml";
import { withoutComments } from "./yaml-copy.ts";
import { DIALECT, plain, WRITTEN } from "./yaml-dialect.ts";
import type { YamlDocument } from "./yaml-file.ts";
import { column, hasContent, itemStart, type SourceItem } from "./yaml-position.ts";

/** Texts as JSON has them. */
const JSON_QUOTES = {
  defaultStringType: "QUOTE_DOUBLE",
  defaultKeyType: "QUOTE_DOUBLE",
  doubleQuotedAsJSON: true,
} as const;

/** Texts that every reader takes as they are within braces; some stumble over a colon or a question mark. */
const SAFE_IN_FLOW = /^[\w./-]*$/;

/** How a document is laid out, which what is put into it follows. */
export interface Layout {
  readonly text: string;
  readonly newline: "\n" | "\r\n";
  /** Spaces of one level, whether a list is further in than its key, and whether braces have spaces in them. */
  readonly block: Pick<ToStringOptions, "indent" | "indentSeq" | "flowCollectionPadding">;
  /** True for a document that begins with a brace or bracket: JSON, or nearly. */
  readonly isJson: boolean;
}

/** The layout of a document, as most of its maps, lists and braces are. */
export function layoutOf({ text, start, end, tree }: YamlDocument): Layout {
  const source = text.slice(start, end);
  const steps: number[] = [];
  const listSteps: number[] = [];
  const paddings: boolean[] = [];
  visit(tree, {
    Pair: (_, { srcToken }) => {
      const value = srcToken?.value;
      if (srcToken === undefined || (value?.type !== "block-map" && value?.type !== "block-seq")) {
        return;
      }
      const step = column(text, firstOf(value) ?? 0) - column(text, itemStart(srcToken));
      if (value.type === "block-seq") listSteps.push(step);
      if (step > 0) steps.push(step);
    },
    Collection: (_, { srcToken }) => {
      if (srcToken?.type !== "flow-collection" || srcToken.items.length === 0) return;
      paddings.push(text[srcToken.offset + 1] === " ");
    },
  });
  return {
    text,
    newline: source.includes("\r\n") ? "\r\n" : "\n",
    block: {
      indent: mostOf(steps) ?? 2,
      indentSeq: mostOf(listSteps.map((step) => step > 0)) ?? true,
      flowCollectionPadding: mostOf(paddings) ?? true,
    },
    isJson: /^[\uFEFF\s]*[[{]/.test(source),
  };
}

/** The value that is there most often. */
function mostOf<T>(values: readonly T[]): T | undefined {
  const groups = [...Map.groupBy(values, (value) => value)];
  return groups.toSorted(([, a], [, b]) => b.length - a.length)[0]?.[0];
}

function firstOf({ items }: CST.BlockMap | CST.BlockSequence): number | undefined {
  const first = (items as readonly SourceItem[]).find(hasContent);
  return first === undefined ? undefined : itemStart(first);
}

/** The lines of a pair of a map or an item of a list, from the column where it begins. */
export function blockLines({ block }: Layout, content: Pair | Node): readonly string[] {
  return escaped(wrapped(content).toString({ ...WRITTEN, ...block }))
    .replace(/\n$/, "")
    .split(/\r?\n/);
}

/** The same on one line, to stand within `{ }` or `[ ]`; what can not be on one line is left out or quoted. */
export function flowText({ isJson }: Layout, content: Pair | Node, isPadded: boolean): string {
  const document = wrapped(content.clone() as Pair | Node);
  visit(document, {
    Node: (_, node) => {
      withoutComments(node);
      if (isScalar(node) && typeof node.value === "string" && !SAFE_IN_FLOW.test(node.value)) {
        node.type = Scalar.QUOTE_DOUBLE;
      }
    },
  });
  const quotes = isJson ? JSON_QUOTES : {};
  const style = { collectionStyle: "flow", flowCollectionPadding: isPadded } as const;
  return escaped(document.toString({ ...WRITTEN, ...quotes, ...style }))
    .trim()
    .slice(1, -1)
    .trim();
}

/** The same as JSON, as many lines as it takes. */
export function jsonLines(content: Pair | Node, step: string): readonly string[] {
  return escaped(JSON.stringify(plain(wrapped(content)), null, step))
    .split("\n")
    .slice(1, -1)
    .map((line) => line.slice(step.length));
}

/** What has these characters is in double quotes; kubectl, unlike the library, refuses them or ends lines at them. */
function escaped(text: string): string {
  return text.replaceAll(/[\u007F-\u009F\u2028\u2029\uFEFF]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}`;
  });
}

/** A document of a map or list that holds only this. */
function wrapped(content: Pair | Node): Document {
  const document = new Document(null, DIALECT);
  const collection = isPair(content) ? new YAMLMap(document.schema) : new YAMLSeq(document.schema);
  collection.items = [content];
  document.contents = collection;
  return document;
}
