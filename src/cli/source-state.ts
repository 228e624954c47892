import { createHash } from "node:crypto";
import { layoutOf, type Layout } from "../api/layout.ts";
import type { ModelCount } from "../oci/model-count.ts";
import { walk, type SourceEntry } from "./source-tree.ts";

/** A model's directory at one moment. */
export interface SourceState {
  readonly count: ModelCount;
  /** 64 hex digits over names, types, modes, sizes and times: the same only while nothing was written. */
  readonly fingerprint: string;
  /** Absent when it is none that matters. */
  readonly layout?: Layout;
}

/** Looks at everything in an open directory without reading a file, and shows it to `seen`, if that is given. */
export function readState(
  descriptor: number,
  seen: (entry: SourceEntry) => void = () => undefined,
): SourceState {
  const hash = createHash("sha256");
  const count = { files: 0, bytes: 0, links: 0, directories: 0 };
  const near: string[] = [];
  for (const entry of walk(descriptor)) {
    seen(entry);
    const { path, kind, stats, target } = entry;
    const { mode, size, mtimeNs, ctimeNs } = stats;
    // A directory's size and times say no more than the names below it. Inode numbers are left out: file systems of object
    // stores give others each time; a file that takes the place of another has another ctime.
    const what = kind === "directory" ? [kind, mode] : [kind, mode, size, mtimeNs, ctimeNs];
    // No name holds a NUL.
    hash.update(what.join(" ")).update("\0").update(path).update("\0").update(target).update("\0");
    if (kind === "file") {
      if (path.includes("saved_model")) near.push(path.toString());
      count.files++;
      count.bytes += Number(size);
    } else if (kind === "link") {
      count.links++;
    } else {
      count.directories++;
    }
  }
  const layout = layoutOf(near);
  return {
    count,
    fingerprint: hash.digest("hex"),
    ...(layout === undefined ? {} : { layout }),
  };
}
