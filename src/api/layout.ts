/**
 * How a model's directory is arranged, as far as that matters to who serves it: a TensorFlow SavedModel at its root, or one below
 * each number, which is where TensorFlow Serving looks for it. Other frameworks take a directory as it is.
 */
export const LAYOUTS = ["SavedModel", "VersionedSavedModel"] as const;

/** A layout that is known. */
export type Layout = (typeof LAYOUTS)[number];

/** The layout of a model with these files, paths from its root; one at the root counts more. Undefined for any other. */
export function layoutOf(paths: Iterable<string>): Layout | undefined {
  let layout: Layout | undefined;
  for (const path of paths) {
    const [, version] = /^(?:(\d+)\/)?saved_model\.pb(?:txt)?$/.exec(path) ?? [path, ""];
    if (version === undefined) return "SavedModel";
    if (version !== "") layout = "VersionedSavedModel";
  }
  return layout;
}
