import {
  closeSync,
  constants,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  type BigIntStats,
} from "node:fs";
import { join, relative, sep } from "node:path";
import { BuildFault, errorCode } from "./build-fault.ts";

/** One entry of a model's directory. */
export interface SourceEntry {
  /** Below the model's root, as the file system has it: names need not be UTF-8. */
  readonly path: Buffer;
  readonly kind: "file" | "directory" | "link";
  readonly stats: BigIntStats;
  /** Target of a link; empty for others. */
  readonly target: Buffer;
  /** Where it can be opened until the next entry is asked for. */
  readonly opened: Buffer;
}

const DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

const SLASH = "/".charCodeAt(0);

/** Prefix of names that mean a deleted file in an image layer. */
const WHITEOUT = ".wh.";

/**
 * Opens a model's directory below the root of a mounted volume. Links on the way may lead around inside the volume, but not
 * out of it: out there are this container's own files. Throws BuildFault SourceNotFound.
 */
export function openSource(root: string, directory: string): number {
  const name = JSON.stringify(directory === "" ? "/" : directory);
  try {
    const volume = realpathSync(root);
    const path = relative(volume, realpathSync(join(volume, directory)));
    if (path === ".." || path.startsWith(`..${sep}`)) {
      const message = `directory ${name} is a link that leads out of the volume`;
      throw new BuildFault("SourceNotFound", message);
    }
    return openBelow(volume, path);
  } catch (cause) {
    const code = errorCode(cause);
    if (code === "ENOENT" || code === "ELOOP") {
      const message = `directory ${name} does not exist in the volume`;
      throw new BuildFault("SourceNotFound", message, { cause });
    }
    if (code === "ENOTDIR") {
      throw new BuildFault("SourceNotFound", `${name} in the volume is not a directory`, { cause });
    }
    throw code === "EACCES" || code === "EPERM" ? noRight(name, cause) : cause;
  }
}

/** Opens a resolved path part by part and follows nothing, so that a link put in at this moment leads nowhere. */
function openBelow(volume: string, path: string): number {
  let descriptor = openSync(volume, DIRECTORY);
  for (const part of path.split(sep).filter((each) => each !== "")) {
    const parent = descriptor;
    try {
      descriptor = openSync(below(parent, Buffer.from(part)), DIRECTORY);
    } finally {
      closeSync(parent);
    }
  }
  return descriptor;
}

/**
 * Everything below an open directory, in an order that only depends on the names; a directory comes before what it holds.
 * Each level is opened through the one above it and no link is followed, whatever happens to the tree meanwhile.
 */
export function* walk(descriptor: number, path: Buffer = Buffer.alloc(0)): Generator<SourceEntry> {
  const names = guarded(path, () =>
    readdirSync(descriptorPath(descriptor), { encoding: "buffer" }),
  );
  for (const name of names.toSorted((a, b) => Buffer.compare(a, b))) {
    const opened = below(descriptor, name);
    const own = path.length === 0 ? name : Buffer.concat([path, Buffer.from("/"), name]);
    const stats = guarded(own, () => lstatSync(opened, { bigint: true }));
    const kind = kindOf(own, name, stats);
    const target =
      kind === "link"
        ? guarded(own, () => readlinkSync(opened, { encoding: "buffer" }))
        : Buffer.alloc(0);
    yield { path: own, kind, stats, target, opened };
    if (kind !== "directory") continue;
    const child = guarded(own, () => openSync(opened, DIRECTORY));
    try {
      yield* walk(child, own);
    } finally {
      closeSync(child);
    }
  }
}

/** Opens a file below an open directory; nothing on the way is followed, and a pipe that took its place is not waited for. */
export function openFile(descriptor: number, path: Buffer): number {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
  return guarded(path, () => {
    let directory = descriptor;
    let start = 0;
    try {
      for (let end = path.indexOf(SLASH); end !== -1; end = path.indexOf(SLASH, start)) {
        const above = directory;
        directory = openSync(below(above, path.subarray(start, end)), DIRECTORY);
        if (above !== descriptor) closeSync(above);
        start = end + 1;
      }
      return openSync(below(directory, path.subarray(start)), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    } finally {
      if (directory !== descriptor) closeSync(directory);
    }
  });
}

/** Runs a step on an entry that was there a moment ago. */
export function guarded<T>(path: Buffer, step: () => T): T {
  try {
    return step();
  } catch (cause) {
    const code = errorCode(cause);
    if (code === "ENOENT" || code === "ENOTDIR" || code === "ELOOP" || code === "ESTALE") {
      throw new BuildFault("SourceChanged", `${quoted(path)} vanished while it was read`, {
        cause,
      });
    }
    throw code === "EACCES" || code === "EPERM" ? noRight(quoted(path), cause) : cause;
  }
}

function noRight(name: string, cause: unknown): BuildFault {
  const user = process.getuid?.() ?? 0;
  const message =
    user === 0
      ? `${name} can not be read: root has no right to it (does the file server squash root?)`
      : `${name} can not be read: user ${user}, as whom the engine direct reads, has no right to it; have the training write files that all may read (umask 022), or set spec.builder.engine to kaniko, which reads as root`;
  return new BuildFault("SourceUnreadable", message, { cause });
}

function kindOf(path: Buffer, name: Buffer, stats: BigIntStats): SourceEntry["kind"] {
  if (name.toString("latin1").startsWith(WHITEOUT)) {
    const message = `${quoted(path)} has a name that means a deleted file in images`;
    throw new BuildFault("UnsupportedFile", message);
  }
  if (stats.isFile()) return "file";
  if (stats.isDirectory()) return "directory";
  if (stats.isSymbolicLink()) return "link";
  const message = `${quoted(path)} is neither a file, a directory nor a symbolic link`;
  throw new BuildFault("UnsupportedFile", message);
}

/** A path below an open directory, whatever its own path has become. */
function below(descriptor: number, name: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${descriptorPath(descriptor)}/`), name]);
}

function descriptorPath(descriptor: number): string {
  return `/proc/self/fd/${descriptor}`;
}

/** A path in messages. */
export function quoted(path: Buffer): string {
  return JSON.stringify(path.toString());
}
