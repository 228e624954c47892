import type { Cause } from "../api/review.ts";

/** The fault of a name that an administrator's list does not hold; `*` in it allows all. `setting` is the list's place in the configuration. */
export function notAllowed(
  name: string,
  allowed: readonly string[],
  field: string,
  setting: string,
): readonly Cause[] {
  if (allowed.includes(name) || allowed.includes("*")) return [];
  const found = allowed.length === 0 ? "none" : allowed.join(", ");
  const message = `${JSON.stringify(name)} is not allowed: the administrator allows ${found} (${setting})`;
  return [{ field, message }];
}
