import { isDeepStrictEqual } from "node:util";
import * as fc from "fast-check";
import {
  Document,
  isCollection,
  isMap,
  isScalar,
  isSeq,
  parseDocument,
  Scalar,
  visit,
  type YAMLMap,
  type YAMLSeq,
} from "yaml";
import { DIALECT } from "../../src/cli/yaml-dialect.ts";

/** Texts that readers of YAML take for something else when they are not quoted, or that a line can not hold. */
const HARD_TEXTS = [
  "",
  " ",
  "yes",
  "n",
  "on",
  "NO",
  "true",
  "null",
  "~",
  "123",
  "-1",
  "+1",
  "1e3",
  "1_000",
  "017",
  "08",
  "0o17",
  "0x1F",
  "0b1",
  ".5",
  ".",
  ".inf",
  "12:30:00",
  "12:30",
  "2026-11-23",
  "<<",
  "=",
  "-",
  "- a",
  "? a",
  "a: b",
  "a:",
  "a #b",
  "# a",
  "*a",
  "&a",
  "!a",
  "%a",
  "@a",
  "`a",
  "{a}",
  "[a]",
  "{{ a }}",
  "a, b",
  "'",
  '"',
  "---",
  "...",
  " a",
  "a ",
  "\ta",
  "a\nb",
  "a\nb\n",
  "a\n\n",
  "\na",
  " a\nb",
  "a\n b\n\n",
  "a \nb",
  "set -e\nif [ -e x ]; then\n  exit 0 # done\nfi\n",
  "a\r\nb",
  "\n",
  "\n\n",
  "---\na",
  "# a\nb",
  "a\n---\nb",
  "Größe 模型",
  "\u0000",
  "\u0085",
  "\u2028",
  "\uFEFF",
];

const anyText = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom("a", "b", "c", "name", "model.kubedl.io/status") },
  { weight: 3, arbitrary: fc.constantFrom(...HARD_TEXTS) },
  { weight: 1, arbitrary: fc.string({ maxLength: 12 }) },
);

export const anyKeyText = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom("a", "b", "c", "a/b", "a~b", "0", "1", "-") },
  { weight: 1, arbitrary: anyText.filter((text) => text !== "__proto__" && text !== "\uFEFF") },
);

/** Any value of JSON. */
export const anyJson: fc.Arbitrary<unknown> = fc.letrec<{ value: unknown; map: object }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: "small" },
    anyText,
    fc.constantFrom<unknown>(null, true, false, 0, 1, -7, 0.5, 1e21, 2 ** 53),
    fc.array(tie("value"), { maxLength: 4 }),
    tie("map"),
  ),
  map: fc.dictionary(anyKeyText, tie("value"), { maxKeys: 4, noNullPrototype: true }),
})).value;

/** A map, such as each document of Kubernetes is. */
const anyObject = fc.dictionary(anyKeyText, anyJson, {
  minKeys: 1,
  maxKeys: 4,
  noNullPrototype: true,
});

/** A number for each choice that is made while a document is written. */
const anyChoices = fc.array(fc.nat({ max: 99 }), { minLength: 8, maxLength: 24 });

export interface Written {
  readonly object: object;
  readonly text: string;
}

/** A document as somebody could have written it: comments, blank lines, braces, quotes, anchors, any line ends. */
export const anyYaml: fc.Arbitrary<Written> = fc
  .record({
    object: anyObject,
    choices: anyChoices,
    indent: fc.constantFrom(2, 4),
    indentSeq: fc.boolean(),
    newline: fc.constantFrom("\n", "\n", "\r\n"),
    isEnded: fc.boolean(),
  })
  .map(({ object, choices, indent, indentSeq, newline, isEnded }) => {
    const document = new Document(object, DIALECT);
    decorate(document, choices);
    const text = document
      .toString({ indent, indentSeq, lineWidth: 40, verifyAliasOrder: false })
      .replaceAll("\n", newline);
    return { object, text: isEnded ? text : text.replace(/\r?\n$/, "") };
  })
  // The library can not write every comment where it is put.
  .filter(({ object, text }) => {
    const tree = parseDocument(text, DIALECT);
    return tree.errors.length === 0 && isDeepStrictEqual(tree.toJS(), object);
  });

function decorate(document: Document, choices: readonly number[]): void {
  let turn = 0;
  const chance = (percent: number): boolean =>
    (choices[turn++ % choices.length] ?? 0) + (turn % 7) < percent;
  const named = new Map<string, Scalar | YAMLMap | YAMLSeq>();
  visit(document, {
    Pair: (_, { key }) => {
      // Bare, it would be a merge.
      if (isScalar(key) && key.value === "<<") key.type = Scalar.QUOTE_DOUBLE;
    },
  });
  visit(document, {
    Node: (key, node, path) => {
      if (chance(20)) node.commentBefore = " above";
      if (chance(10)) node.spaceBefore = true;
      if (isScalar(node) && chance(15)) node.comment = " beside";
      if (isCollection(node) && chance(10)) node.comment = " below";
      if (isCollection(node) && path.length > 1 && chance(20)) node.flow = true;
      if (isScalar(node) && typeof node.value === "string" && chance(30)) {
        node.type = chance(50) ? Scalar.QUOTE_DOUBLE : Scalar.QUOTE_SINGLE;
      }
      if (key === "key" || !(isMap(node) || isSeq(node) || isScalar(node))) return undefined;
      const value = JSON.stringify(node.toJS(document));
      const same = named.get(value);
      if (same !== undefined && chance(60)) return document.createAlias(same, "x");
      named.set(value, node);
      return undefined;
    },
  });
}
