import { selects } from "../api/label-selector.ts";
import type { ModelBinding, ModelBindingSpec } from "../api/modelbinding.ts";
import type { BoundServe } from "./wanted-models.ts";

type Labels = Readonly<Record<string, string>>;

/** What serves a pod with these labels: of the bindings that select it the oldest, by name where they are equally old. */
export function boundServe(
  bindings: readonly ModelBinding[],
  labels: Labels | null | undefined,
): BoundServe | undefined {
  let oldest: (BoundServe & { readonly since: string }) | undefined;
  for (const { metadata, spec } of bindings) {
    const { name = "", creationTimestamp: since = "", deletionTimestamp } = metadata;
    const { selector, serve }: Partial<ModelBindingSpec> = spec ?? {};
    if (serve === undefined || selector === undefined || deletionTimestamp !== undefined) continue;
    const isOlder =
      oldest === undefined ||
      since < oldest.since ||
      (since === oldest.since && name < oldest.name);
    if (isOlder && selects(selector, labels ?? {})) oldest = { name, serve, since };
  }
  return oldest === undefined ? undefined : { name: oldest.name, serve: oldest.serve };
}
