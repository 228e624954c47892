import type { ExportIntent } from "../api/annotations.ts";
import { selects } from "../api/label-selector.ts";
import type { ModelBinding, ModelBindingSpec } from "../api/modelbinding.ts";
import type { BoundServe } from "./wanted-models.ts";

type Labels = Readonly<Record<string, string>>;

/** A ModelBinding that selects the pod, and what it exports. */
interface BoundExport {
  readonly name: string;
  readonly export: ExportIntent;
}

/** What a binding asks for the pods that it selects. */
export type Bound = BoundServe | BoundExport;

/** What is asked for a pod with these labels: of the bindings that select it by the oldest, by name where they are equally old. */
export function boundBy(
  bindings: readonly ModelBinding[],
  labels: Labels | null | undefined,
): Bound | undefined {
  let oldest: { readonly name: string; readonly since: string; readonly bound: Bound } | undefined;
  for (const { metadata, spec } of bindings) {
    const { name = "", creationTimestamp: since = "", deletionTimestamp } = metadata;
    const { selector, serve, export: exported }: Partial<ModelBindingSpec> = spec ?? {};
    if (selector === undefined || deletionTimestamp !== undefined) continue;
    const bound = serve !== undefined ? { name, serve } : exported && { name, export: exported };
    const isOlder =
      oldest === undefined ||
      since < oldest.since ||
      (since === oldest.since && name < oldest.name);
    if (bound !== undefined && isOlder && selects(selector, labels ?? {})) {
      oldest = { name, since, bound };
    }
  }
  return oldest?.bound;
}
