import { isAlias, isMap, isNode, isScalar, isSeq, visit, type Document, type Pair } from "yaml";
import { isMerge } from "./yaml-copy.ts";
import { plain } from "./yaml-dialect.ts";

/** What is wrong at a position of a text. */
export interface YamlFault {
  readonly position: number;
  readonly message: string;
}

/** Our words for what the parser says in the words of the specification; others are near enough to plain ones. */
const WORDS: readonly (readonly [RegExp, string])[] = [
  [/^Tabs are not allowed/, "a tab can not indent in YAML; use spaces"],
  [/^Map keys must be unique/, "the map has this key already"],
  [
    /must start at the same column|may not be used as an implicit/,
    "is not indented as the lines before it",
  ],
  [/^Nested mappings are not/, 'a text with ": " in it must be quoted'],
  [/^Implicit (?:map )?keys need/, 'is no "key: value"; a space must follow the colon'],
];

/** The first fault of a document; those after it often follow from it. */
export function faultOf(text: string, tree: Document.Parsed): YamlFault | undefined {
  const [error] = tree.errors;
  const fault =
    error === undefined
      ? (nodeFault(tree) ?? sizeFault(tree) ?? rootFault(tree))
      : { position: error.pos[0], message: inOurWords(error.message) };
  return fault === undefined ? undefined : withHint(text, fault);
}

function inOurWords(message: string): string {
  const found = WORDS.find(([pattern]) => pattern.test(message))?.[1];
  return found ?? message.charAt(0).toLowerCase() + message.slice(1);
}

/** What can be read and can not be JSON. */
function nodeFault(tree: Document.Parsed): YamlFault | undefined {
  let fault: YamlFault | undefined;
  visit(tree, {
    Pair: (_, pair) => {
      fault = faultAt(pair.key, pairFault(tree, pair));
      return fault === undefined ? undefined : visit.BREAK;
    },
    Alias: (_, alias, path) => {
      fault = faultAt(alias, aliasFault(alias.source, alias.resolve(tree), path));
      return fault === undefined ? undefined : visit.BREAK;
    },
  });
  return fault;
}

function pairFault(tree: Document.Parsed, pair: Pair): string | undefined {
  if (!isScalar(pair.key)) return "only a text can be a key";
  if (!isMerge(pair) || canBeMerged(tree, pair.value)) return undefined;
  return "<< can bring only a map or a list of maps";
}

function canBeMerged(tree: Document.Parsed, value: unknown): boolean {
  const node = isAlias(value) ? value.resolve(tree) : value;
  return isMap(node) || (isSeq(node) && node.items.every((item) => canBeMerged(tree, item)));
}

function aliasFault(name: string, named: unknown, path: readonly unknown[]): string | undefined {
  if (named === undefined) return `*${name} stands for nothing: no &${name} is before it`;
  return path.includes(named) ? `*${name} is within what it stands for` : undefined;
}

function faultAt(node: unknown, message: string | undefined): YamlFault | undefined {
  return message === undefined ? undefined : { position: positionOf(node), message };
}

/** Aliases of aliases can stand for more than any memory holds. */
function sizeFault(tree: Document.Parsed): YamlFault | undefined {
  try {
    plain(tree);
    return undefined;
  } catch (error) {
    if (!(error instanceof ReferenceError)) throw error;
    return faultAt(tree.contents, "its aliases stand for too much");
  }
}

function rootFault({ contents }: Document.Parsed): YamlFault | undefined {
  if (contents === null || isMap(contents)) return undefined;
  if (isScalar(contents) && contents.value === null) return undefined;
  return faultAt(contents, `must be an object, not ${isSeq(contents) ? "a list" : "a text"}`);
}

function positionOf(node: unknown): number {
  return (isNode(node) ? node.range?.[0] : undefined) ?? 0;
}

function withHint(text: string, { position, message }: YamlFault): YamlFault {
  const start = text.lastIndexOf("\n", position - 1) + 1;
  const end = text.indexOf("\n", position);
  const line = text.slice(start, end === -1 ? undefined : end);
  return line.includes("{{")
    ? { position, message: `${message}; a template must be rendered first (helm template)` }
    : { position, message };
}
