import { canonicalImage, registryOf } from "./image-ref.ts";
import type { Cause } from "./review.ts";
import type { Rule } from "./rules.ts";
import { show } from "./schema-faults.ts";

/** The fault of a name that an administrator's list does not hold; `*` in it allows all. `setting` is the list's place in the configuration. */
export function notAllowed(
  name: string,
  allowed: readonly string[],
  field: string,
  { rule, setting }: { readonly rule: Rule; readonly setting: string },
): readonly Cause[] {
  if (allowed.includes(name) || allowed.includes("*")) return [];
  const message = `${show(name)} is not allowed: the administrator allows ${listed(allowed)} (${setting})`;
  return [{ rule, field, message }];
}

/** The fault of a repository that lies in no registry which the administrator allows the namespace. */
export function registryNotAllowed(
  repo: string,
  registries: readonly string[],
  field: string,
): readonly Cause[] {
  if (isRegistryAllowed(repo, registries)) return [];
  const message = `${show(repo)} is not allowed: the administrator allows this namespace ${listed(registries)} (build.allowedRegistries)`;
  return [{ rule: "RegistryAllowed", field, message }];
}

/** True for a repository in one of these registries, or at or below one of these repositories; `*` is every one. */
function isRegistryAllowed(repo: string, registries: readonly string[]): boolean {
  const name = canonicalImage(repo);
  return registries.some((each) => {
    if (each === "*") return true;
    const [host = "", ...path] = each.split("/");
    const prefix = [registryOf(host), ...path].join("/");
    return name === prefix || name.startsWith(`${prefix}/`);
  });
}

function listed(allowed: readonly string[]): string {
  return allowed.length === 0 ? "none" : allowed.join(", ");
}
