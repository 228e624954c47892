import type {
  Document,
  DocumentOptions,
  ParseOptions,
  Scalar,
  ScalarTag,
  SchemaOptions,
  ToStringOptions,
} from "yaml";

const TRUE = ["y", "Y", "yes", "Yes", "YES", "on", "On", "ON", "true", "True", "TRUE"];
const FALSE = ["n", "N", "no", "No", "NO", "off", "Off", "OFF", "false", "False", "FALSE"];

/**
 * What kubectl takes a plain text for. It reads YAML 1.1 by go-yaml 2, which leaves out the times and the base 60 of 1.1, and
 * takes the octal numbers of 1.2, too.
 */
const TAGS: readonly ScalarTag[] = [
  {
    identify: (value) => value === null,
    default: true,
    tag: "tag:yaml.org,2002:null",
    test: /^(?:~|null|Null|NULL)?$/,
    resolve: () => null,
    stringify: asWritten,
  },
  {
    identify: (value) => typeof value === "boolean",
    default: true,
    tag: "tag:yaml.org,2002:bool",
    test: new RegExp(`^(?:${[...TRUE, ...FALSE].join("|")})$`),
    resolve: (text) => TRUE.includes(text),
    stringify: asWritten,
  },
  {
    identify: (value) => Number.isInteger(value),
    default: true,
    tag: "tag:yaml.org,2002:int",
    test: /^[-+]?(?:0b_*[01][01_]*|0o?_*[0-7][0-7_]*|0x_*[0-9a-f][0-9a-f_]*|[1-9][0-9_]*|0_*)$/i,
    resolve: toInteger,
    stringify: asWritten,
  },
  {
    identify: (value) => typeof value === "number",
    default: true,
    tag: "tag:yaml.org,2002:float",
    test: /^[-+]?(?:\.[0-9][0-9_]*|[0-9][0-9_]*(?:\.[0-9_]*)?)(?:[eE][-+]?[0-9][0-9_]*)?$/,
    resolve: (text) => Number(text.replaceAll("_", "")),
    stringify: asWritten,
  },
  {
    default: true,
    tag: "tag:yaml.org,2002:float",
    test: /^(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/,
    resolve: (text) => (/nan/i.test(text) ? NaN : text.startsWith("-") ? -Infinity : Infinity),
    stringify: asWritten,
  },
  {
    default: false,
    tag: "tag:yaml.org,2002:binary",
    resolve: (text) => Buffer.from(text, "base64").toString(),
    stringify: asWritten,
  },
  {
    // The library's own takes a quoted "<<" for a merge when it writes it.
    identify: (value) => typeof value === "symbol",
    default: "key",
    tag: "tag:yaml.org,2002:merge",
    test: /^<<$/,
    resolve: () => Symbol("<<"),
    stringify: () => "<<",
  },
];

/** How files are read: as kubectl reads them, with each node's place in the text. */
export const DIALECT: ParseOptions & DocumentOptions & SchemaOptions = {
  version: "1.1",
  schema: "failsafe",
  customTags: [...TAGS],
  // What any reader of YAML 1.1 would take for something else than text is quoted.
  compat: "yaml-1.1",
  keepSourceTokens: true,
  prettyErrors: false,
  logLevel: "silent",
};

/** How what is new is written. */
export const WRITTEN: ToStringOptions = {
  lineWidth: 0,
  doubleQuotedMinMultiLineLength: Infinity,
  // A part of a document may name anchors of another part.
  verifyAliasOrder: false,
};

/** More uses of one anchor than any file has, and few enough that aliases of aliases can not fill the memory. */
const MOST_USES = 10_000;

/** What a document says, as JSON would. Throws ReferenceError when aliases make it endless. */
export function plain(tree: Document): unknown {
  return tree.toJS({ maxAliasCount: MOST_USES });
}

/** Text of the file is never written another way, which could lose digits. */
function asWritten({ source, value }: Scalar): string {
  return source ?? String(value);
}

function toInteger(text: string): number {
  const [, sign, digits = ""] = /^([-+]?)(.*)$/.exec(text.replaceAll("_", "").toLowerCase()) ?? [];
  const number = Number(/^0[0-7]/.test(digits) ? `0o${digits.slice(1)}` : digits);
  return sign === "-" ? 0 - number : number;
}
