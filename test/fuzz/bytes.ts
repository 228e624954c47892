import { gzipSync } from "node:zlib";
import { anyPath, change, type Draft } from "./draft.ts";
import { HOSTILE_KEYS } from "./hostile.ts";
import type { Random } from "./random.ts";

/** A body and what is said of it. */
export interface Wire {
  readonly contentType: string | undefined;
  readonly contentEncoding?: string;
  readonly body: Buffer;
  /** What JSON.parse makes of the body, where that is known. */
  readonly tree?: unknown;
}

/** Content types that an API server might send, and that say the same. */
const RIGHT_TYPES = [
  "application/json; charset=utf-8",
  "application/json;charset=latin1",
  "Application/JSON",
] as const;

/** Content types that are not that of a review. */
export const WRONG_TYPES: readonly (string | undefined)[] = [
  undefined,
  "text/plain",
  "application/yaml",
  "application/vnd.kubernetes.protobuf",
  "application/jsonx",
  "application/x-www-form-urlencoded",
  "multipart/form-data; boundary=x",
  "*/*",
  "json",
  "\t",
];

/** Bytes that no UTF-8 text has: a stray one, an overlong one, half of a pair, one beyond the end, the start of one. */
const NOT_UTF8 = [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf5, 0x80, 0x80, 0x80], [0xe2, 0x82]];

const OTHER_BODIES = [
  ...'|null|true|7|[]|{}|"text"|[null]|{}{}|//|\'a\'|\ufeff{}|NaN|{"request":{}}'.split("|"),
  `{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview"}`,
  `{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":[]}`,
  `{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"u"}}`,
  `{"apiVersion":"admission.k8s.io/v1beta1","kind":"AdmissionReview","request":{"uid":"u"}}`,
  `{"__proto__":{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{}}}`,
] as const;

/** Characters of a body that is more than the webhook reads. */
const TOO_LONG = 7 * 2 ** 20 + 1;

/** Stands where something goes that no tree is to hold. */
const MARK = "@fuzz-mark@";

type Change = (text: string, random: Random, draft: Draft) => Wire;

const CHANGES: Readonly<Record<string, Change>> = {
  "cut short": (text, random) => json(Buffer.from(text.slice(0, random.below(text.length)))),
  "flipped bits": (text, random) => {
    const body = Buffer.from(text);
    for (let left = random.between(1, 8); left > 0; left--) {
      const at = random.below(body.length);
      body[at] = (body[at] ?? 0) ^ (1 << random.below(8));
    }
    return json(body);
  },
  "not UTF-8": (text, random) => {
    const body = Buffer.from(text);
    const at = random.below(body.length);
    const strange = Buffer.from(random.pick(NOT_UTF8));
    return json(Buffer.concat([body.subarray(0, at), strange, body.subarray(at)]));
  },
  "in UTF-16": (text) => json(Buffer.from(`\ufeff${text}`, "utf16le")),
  "another body": (_, random) => json(Buffer.from(random.pick(OTHER_BODIES))),
  noise: (_, random) =>
    json(Buffer.from(Array.from({ length: random.below(300) }, () => random.below(256)))),
  "something behind it": (text, random) =>
    json(Buffer.from(text + random.pick(["}", "\0", "x", text]))),
  "white space": (text, random) => {
    const times = random.chance(0.005) ? TOO_LONG : random.between(1, 20_000);
    const space = random.pick([" ", "\n", "\t\r"]).repeat(times);
    return json(Buffer.from(random.chance(0.5) ? space + text : text + space));
  },
  "key twice": (text, random) => {
    // Before the first field or behind the last: which of the two counts is the parser's to say.
    const [mark, at] = random.pick([
      ["{", 1],
      ["}", 0],
    ] as const);
    const key = JSON.stringify(
      random.pick([...HOSTILE_KEYS, "uid", "metadata", "request", "spec"]),
    );
    const value = random.pick(["null", "7", '"x"', "{}", "[]", '{"name":"x"}']);
    const found = text.indexOf(mark, random.below(text.length));
    const place = found < 0 ? 1 : found + at;
    const field = at === 1 ? `${key}:${value},` : `,${key}:${value}`;
    return json(Buffer.from(text.slice(0, place) + field + text.slice(place)));
  },
  "another content type": (text, random) => ({
    contentType: random.pick(random.chance(0.3) ? RIGHT_TYPES : WRONG_TYPES),
    body: Buffer.from(text),
  }),
  compressed: (text) => ({
    contentType: "application/json",
    contentEncoding: "gzip",
    body: gzipSync(text, { level: 1 }),
  }),
  "nested deep": (_, random) => json(Buffer.from(nested(random))),
  "deep inside": (_, random, draft) => {
    change(draft, anyPath(draft), "a mark", () => MARK);
    return json(Buffer.from(JSON.stringify(draft.tree).replace(`"${MARK}"`, nested(random))));
  },
};

/** Sends the review with bytes that no API server would send. */
export function changeBytes(draft: Draft): Wire {
  const what = draft.random.pick(Object.keys(CHANGES));
  draft.said.push(what);
  const text = JSON.stringify(draft.tree);
  return CHANGES[what]?.(text, draft.random, draft) ?? json(Buffer.from(text));
}

/** The body as an API server sends it. */
export function json(body: Buffer): Wire {
  return { contentType: "application/json", body };
}

/** Lists in lists, or objects in objects, as deep as a stack or deeper. */
function nested(random: Random): string {
  // To read a deep one takes long, so the deepest come seldom.
  const depth = random.pick(random.chance(0.95) ? [50, 200, 1000, 4000] : [10_000, 60_000]);
  const [open, close] = random.pick([
    ["[", "]"],
    ['{"a":', "}"],
    ['[{"name":', "}]"],
  ] as const);
  return open.repeat(depth) + (random.chance(0.9) ? `null${close.repeat(depth)}` : "");
}
