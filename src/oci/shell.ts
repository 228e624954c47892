import type { TarEntry } from "./tar.ts";

/** What the layers that were read so far hold at the paths on which `/bin/sh` depends; never more than those few. */
export type ShellPaths = ReadonlyMap<string, { readonly entry: TarEntry; readonly layer: number }>;

/** Before the first layer is read. */
export const NOTHING_SEEN: ShellPaths = new Map();

const WATCHED = new Set(["bin", "bin/sh", "usr/bin/sh"]);

/**
 * What is known after one more entry; layers are numbered base first. What an entry hides counts for lower layers only, since
 * the entries of one layer come in any order.
 */
export function withEntry(seen: ShellPaths, entry: TarEntry, layer: number): ShellPaths {
  const path = entry.path.replace(/^(?:\.?\/)+|\/$/g, "");
  const hidden = hiddenBy(path, entry);
  const isHidden = (each: string): boolean => each === hidden || each.startsWith(`${hidden}/`);
  const kept = [...seen].filter(([each, found]) => found.layer >= layer || !isHidden(each));
  if (WATCHED.has(path)) return new Map([...kept, [path, { entry, layer }]]);
  return kept.length === seen.size ? seen : new Map(kept);
}

/** True for an image with `/bin/sh`; undefined when `/bin` leads to where nobody looked. */
export function hasShell(seen: ShellPaths): boolean | undefined {
  if (isThere(seen, "bin/sh")) return true;
  const target = seen.get("bin")?.entry.target;
  if (target === undefined) return false;
  return /^(?:\.?\/)*usr\/bin\/?$/.test(target) ? isThere(seen, "usr/bin/sh") : undefined;
}

/** What an entry takes away from the layers below: a whiteout its path, all but directories their own; else nothing, the empty path. */
function hiddenBy(path: string, { type }: TarEntry): string {
  const [, directory = "", name] = /^(.*\/)?\.wh\.([^/]+)$/.exec(path) ?? [];
  if (name === ".wh..opq") return directory.replace(/\/$/, "");
  if (name !== undefined) return `${directory}${name}`;
  return type === "directory" ? "" : path;
}

function isThere(seen: ShellPaths, path: string): boolean {
  const type = seen.get(path)?.entry.type;
  return type !== undefined && type !== "directory";
}
