import * as fc from "fast-check";
import { pointerToken, type PatchOperation } from "../../src/api/review.ts";
import { patched } from "./patched.ts";

/** What an operation does to a map or list: `set` adds what is there already. */
export type OperationKind = "insert" | "set" | "replace" | "remove";

/** By what one operation is chosen among those that fit. */
export interface Choice {
  readonly kind: OperationKind;
  /** Which map or list of the object, and which entry of it. */
  readonly place: number;
  readonly entry: number;
  readonly key: string;
  readonly value: unknown;
}

/** Choices for up to four operations of these kinds. */
export function anyChoices(
  kinds: readonly OperationKind[],
  key: fc.Arbitrary<string>,
  value: fc.Arbitrary<unknown>,
): fc.Arbitrary<readonly Choice[]> {
  const kind = fc.constantFrom(...kinds);
  const choice = fc.record({ kind, place: fc.nat(), entry: fc.nat(), key, value });
  return fc.array(choice, { minLength: 1, maxLength: 4 });
}

/** The operations that are chosen; each fits the object as those before it leave it. */
export function operationsFor(
  object: object,
  choices: readonly Choice[],
): readonly PatchOperation[] {
  const operations: PatchOperation[] = [];
  let now = object;
  for (const choice of choices) {
    const places = placesOf("", now);
    const place = places[choice.place % places.length];
    const operation = place === undefined ? undefined : operationAt(place, choice);
    if (operation === undefined) continue;
    operations.push(operation);
    now = patched(now, [operation]);
  }
  return operations;
}

interface Place {
  readonly path: string;
  readonly value: object;
}

/** Every map and list of a value. */
function placesOf(path: string, value: unknown): readonly Place[] {
  if (typeof value !== "object" || value === null) return [];
  const below = Object.entries(value).flatMap(([key, each]) =>
    placesOf(`${path}/${pointerToken(key)}`, each),
  );
  return [{ path, value }, ...below];
}

function operationAt(
  { path, value: parent }: Place,
  { kind, entry, key, value }: Choice,
): PatchOperation | undefined {
  const isList = Array.isArray(parent);
  const keys = Object.keys(parent);
  if (kind === "insert") {
    const free = isList
      ? [...keys, String(keys.length), "-"]
      : [keys.includes(key) ? `${key}+` : key];
    const token = free[entry % free.length] ?? key;
    return keys.includes(token) && !isList
      ? undefined
      : { op: "add", path: `${path}/${pointerToken(token)}`, value };
  }
  const known = keys[entry % keys.length];
  if (known === undefined || (kind === "set" && isList)) return undefined;
  const at = `${path}/${pointerToken(known)}`;
  if (kind === "remove") return { op: "remove", path: at };
  return { op: kind === "set" ? "add" : "replace", path: at, value };
}
