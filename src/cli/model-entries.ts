import { accessSync, closeSync, constants, fstatSync, read as readCallback } from "node:fs";
import { promisify } from "node:util";
import type { OpenModelFile } from "../oci/layer-content.ts";
import type { LayerEntry } from "../oci/tar-header.ts";
import { BuildFault } from "./build-fault.ts";
import { directoryMode, fileMode } from "./image-mode.ts";
import { readState, type SourceState } from "./source-state.ts";
import { guarded, openFile, quoted, type SourceEntry } from "./source-tree.ts";

/** Where a model lies in its image, from the image's root. */
const ROOT = Buffer.from("kubedl-model");
const SLASH = Buffer.from("/");
const LINK_MODE = 0o777;
const NONE = Buffer.alloc(0);

const readFileAt = promisify(readCallback);

/** A model as it was found: its state, and what its image is to hold. */
export interface FoundModel {
  readonly state: SourceState;
  /** In the order of a walk, the model's own directory first. */
  readonly entries: readonly LayerEntry[];
}

/** Looks at everything in an open directory without reading a file; throws BuildFault SourceUnreadable for one that may not be read. */
export function findModel(descriptor: number): FoundModel {
  const mode = directoryMode(fstatSync(descriptor).mode);
  const entries: LayerEntry[] = [{ path: ROOT, kind: "directory", mode, size: 0, target: NONE }];
  const state = readState(descriptor, (entry) => {
    // Now, and not when everything before it was sent.
    if (entry.kind === "file") guarded(entry.path, () => accessSync(entry.opened, constants.R_OK));
    entries.push(inImage(entry));
  });
  return { state, entries };
}

/** Opens the files of such a model, and only as long as they are what was found. */
export function modelFiles(descriptor: number): OpenModelFile {
  return (entry) => {
    const path = entry.path.subarray(ROOT.length + SLASH.length);
    const file = openFile(descriptor, path);
    const stats = fstatSync(file);
    if (!stats.isFile() || stats.size !== entry.size) {
      closeSync(file);
      throw changed(entry);
    }
    return {
      read: async (buffer, offset, length, position) =>
        (await readFileAt(file, buffer, offset, length, position)).bytesRead,
      close: () => closeSync(file),
    };
  };
}

/** The fault of a file that is not what was found. */
export function changed({ path }: LayerEntry): BuildFault {
  const name = quoted(path.subarray(ROOT.length + SLASH.length));
  return new BuildFault("SourceChanged", `${name} changed while it was read`);
}

function inImage({ path, kind, stats, target }: SourceEntry): LayerEntry {
  const mode = Number(stats.mode);
  return {
    path: Buffer.concat([ROOT, SLASH, path]),
    kind,
    mode: kind === "file" ? fileMode(mode) : kind === "directory" ? directoryMode(mode) : LINK_MODE,
    size: kind === "file" ? Number(stats.size) : 0,
    target,
  };
}
