import type { LayerEntry } from "../../src/oci/tar-header.ts";

/** A file of so many bytes. */
export function makeFile(path: string | Buffer, size: number, mode = 0o644): LayerEntry {
  return { path: Buffer.from(path), kind: "file", mode, size, target: Buffer.alloc(0) };
}

/** A directory that everybody may look into. */
export function makeDirectory(path: string | Buffer, mode = 0o755): LayerEntry {
  return { path: Buffer.from(path), kind: "directory", mode, size: 0, target: Buffer.alloc(0) };
}

/** A link, whether or not it leads anywhere. */
export function makeLink(path: string | Buffer, target: string | Buffer): LayerEntry {
  return {
    path: Buffer.from(path),
    kind: "link",
    mode: 0o777,
    size: 0,
    target: Buffer.from(target),
  };
}
