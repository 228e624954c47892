import type { Cause } from "../api/review.ts";
import type { Rule } from "../api/rules.ts";
import { show } from "../api/schema-faults.ts";

/** The fault of a name that an administrator's list does not hold; `*` in it allows all. `setting` is the list's place in the configuration. */
export function notAllowed(
  name: string,
  allowed: readonly string[],
  field: string,
  { rule, setting }: { readonly rule: Rule; readonly setting: string },
): readonly Cause[] {
  if (allowed.includes(name) || allowed.includes("*")) return [];
  const found = allowed.length === 0 ? "none" : allowed.join(", ");
  const message = `${show(name)} is not allowed: the administrator allows ${found} (${setting})`;
  return [{ rule, field, message }];
}
