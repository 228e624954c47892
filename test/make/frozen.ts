import { deepFreeze } from "../../src/kube/freeze.ts";

/** What a test may do to an object before it is frozen. */
export type Tweak<T> = (object: T) => void;

/** The same type with parts that can be assigned. */
export type Draft<T> = { -readonly [Key in keyof T]: T[Key] };

/** The object after its tweak, frozen to its leaves: code under test that writes to its input throws. */
export function frozen<T>(object: T, tweak: Tweak<T>): T {
  tweak(object);
  return deepFreeze(object);
}
