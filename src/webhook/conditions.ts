import { OWN_KEYS, PREFIX } from "../api/annotations.ts";

/** CEL: the key `k` is one of an annotation in our words that somebody else wrote. */
export const OWN_WORDS = [
  `k.startsWith('${PREFIX}')`,
  ...OWN_KEYS.map((key) => `k != '${key}'`),
].join(" && ");

/**
 * The API server takes a time for a loop of CEL that grows with the square of its turns: 6 s for 40,000 annotations, measured on
 * Kubernetes 1.36. Nobody writes more than these.
 */
export const MAX_ANNOTATIONS = 256;

/** CEL: annotations too many to be looked at one by one; such an object is sent to us, who look at it in no time. */
export function tooMany(annotations: string): string {
  return `${annotations}.size() > ${MAX_ANNOTATIONS}`;
}

/** CEL: an annotation that `ours` tells by its key `k` is new, gone or another than before. */
export function annotationsChange(ours: string): string {
  const now = "object.?metadata.?annotations.orValue({})";
  const before = "oldObject.?metadata.?annotations.orValue({})";
  return [
    `${now}.exists(k, ${ours} && (!(k in ${before}) || ${before}[k] != ${now}[k]))`,
    `${before}.exists(k, ${ours} && !(k in ${now}))`,
  ].join(" || ");
}

/** A match condition of a webhook: all of one webhook have to hold. */
export interface Condition {
  readonly name: string;
  readonly expression: string;
}

/**
 * For each kind a condition of its own, `group/kind`, which holds for all others. The time in which the API server compiles an
 * expression grows with the square of its length: one for all kinds took it 8 s at every change of the configuration, measured on
 * Kubernetes 1.36. A webhook has at most 64 conditions.
 */
export function forEachKind<T extends { readonly group: string; readonly kind: string }>(
  kinds: readonly T[],
  alternatives: (kind: T) => readonly string[],
): readonly Condition[] {
  const rows = Map.groupBy(kinds, ({ group, kind }) => `${group}/${kind}`);
  return [...rows].map(([name, versions]) => {
    const others = versions
      .slice(0, 1)
      .flatMap(({ group, kind }) => [
        `request.kind.group != '${group}'`,
        `request.kind.kind != '${kind}'`,
      ]);
    const expression = [...others, ...new Set(versions.flatMap(alternatives))].join(" || ");
    return { name, expression };
  });
}

/** What is asked of the annotations at a path; `a` is what stands there, and `most` how many values of a map or list are looked at. */
export interface Question {
  /** CEL that holds for annotations which are meant. */
  readonly leaf: string;
  readonly most: number;
  /** Whether more values than these count as meant. */
  readonly beyond: boolean;
}

/**
 * CEL: the question holds for the annotations at this path of the object, in which `*` stands for every value of a map or list.
 * Fields of other kinds have no schema that we could rely on, so each step may lead to nothing, to null, to a list or to a text, and
 * an expression that fails would deny.
 */
export function holdsAt(path: string, question: Question): string {
  return holds("object", path.split("*."), question);
}

/** CEL: an object stands at this path without `*`. */
export function isObjectAt(path: string): string {
  return `${optionalAt("object", path)}.optMap(a, type(a) == map).orValue(false)`;
}

function holds(from: string, [steps = "", ...rest]: readonly string[], question: Question): string {
  const { leaf, most, beyond } = question;
  const found = optionalAt(from, steps);
  if (rest.length === 0) {
    return `${found}.optMap(a, type(a) == map && ${leaf}).orValue(false)`;
  }
  const bounded = (each: string): string =>
    beyond ? `(m.size() > ${most} || ${each})` : `m.size() <= ${most} && ${each}`;
  const inMap = bounded(`m.exists(e, type(m[e]) == map && ${holds("m[e]", rest, question)})`);
  const inList = bounded(`m.exists(e, type(e) == map && ${holds("e", rest, question)})`);
  return `${found}.optMap(m, type(m) == map ? ${inMap} : type(m) == list && ${inList}).orValue(false)`;
}

/** CEL: what stands at these steps below a map, which may be nothing; a step below a list would fail without being asked first. */
function optionalAt(from: string, steps: string): string {
  const [first, ...others] = steps.split(".").filter((step) => step !== "");
  return others.reduce(
    (found, step) => `${found}.optFlatMap(o, type(o) == map ? o.?${step} : optional.none())`,
    `${from}.?${first}`,
  );
}
