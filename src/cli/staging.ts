import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  fstatSync,
  mkdirSync,
  openSync,
  statSync,
} from "node:fs";
import { BuildFault, errorCode } from "./build-fault.ts";
import { directoryMode, fileMode } from "./image-mode.ts";
import { guarded, quoted, walk } from "./source-tree.ts";

/** Links after which kaniko leaves out what else the model holds, and says nothing of it. */
const UNRESOLVABLE: Readonly<Record<string, string>> = {
  ELOOP: "leads in a circle",
  ENOTDIR: "leads through a file as if that were a directory",
  ENAMETOOLONG: "leads to a name that is too long",
};

/**
 * Copies what kaniko can not take as it is: files that not everybody can read or that are setuid, and every directory, for
 * its mode alone. Copied over the model itself, which kaniko reads from the volume, that gives the normalised modes without
 * a second copy of all the data. Throws BuildFault UnsupportedFile for a link that it can not take at all.
 */
export function stage(source: number, target: string): void {
  chmodSync(target, directoryMode(fstatSync(source).mode));
  const prefix = Buffer.from(`${target}/`);
  for (const { path, kind, stats, opened } of walk(source)) {
    const copy = Buffer.concat([prefix, path]);
    const mode = Number(stats.mode);
    if (kind === "directory") {
      mkdirSync(copy);
      chmodSync(copy, directoryMode(mode));
    } else if (kind === "file" && needsOtherMode(mode)) {
      guarded(path, () => copyFile(opened, copy));
      chmodSync(copy, fileMode(mode));
    } else if (kind === "link") refuseUnresolvable(path, opened);
  }
}

/** A link that leads nowhere is fine, and where one leads is of no interest. */
function refuseUnresolvable(path: Buffer, opened: Buffer): void {
  try {
    statSync(opened);
  } catch (cause) {
    const why = UNRESOLVABLE[errorCode(cause) ?? ""];
    if (why === undefined) return;
    const message = `${quoted(path)} is a link that ${why}, which kaniko can not put into an image; remove it`;
    throw new BuildFault("UnsupportedFile", message, { cause });
  }
}

/** Not even now is a link followed that has taken the file's place; a pipe would be waited for. */
function copyFile(from: Buffer, to: Buffer): void {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK, COPYFILE_FICLONE } = constants;
  const descriptor = openSync(from, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  try {
    copyFileSync(`/proc/self/fd/${descriptor}`, to, COPYFILE_FICLONE);
  } finally {
    closeSync(descriptor);
  }
}

function needsOtherMode(mode: number): boolean {
  return (mode & 0o7777) !== fileMode(mode);
}
