import { createHash } from "node:crypto";
import { chmod, link, mkdir, rm, symlink, writeFile } from "node:fs/promises";

/** Something in a model: how it is stored, and the mode in which it has to arrive in a pod. */
export type Entry = Directory | File | SymbolicLink;

interface Directory {
  readonly type: "d";
  readonly path: Buffer;
  readonly mode: number;
  readonly arrives: number;
}

interface File extends Omit<Directory, "type"> {
  readonly type: "f";
  readonly content: Buffer;
  /** The file that it is a hard link to. */
  readonly sameAs?: string;
}

interface SymbolicLink {
  readonly type: "l";
  readonly path: Buffer;
  readonly target: string;
}

/** Of this directory, which may hold many files, listings have sums only. */
const MANY = "shards";

/**
 * Shell function: lists a directory, each entry as its type, mode, sha256 and name, with the target of a link. Run by busybox,
 * whose `sort` goes by bytes.
 */
export const LISTING = `
listing() (
  cd "$1"
  find . -path ./${MANY} -prune -o -print0 | sort -z | xargs -0 sh -c 'for each; do
    mode=$(stat -c %a "$each")
    if [ -h "$each" ]; then printf "l %s %s -> %s\\n" "$mode" "$each" "$(readlink "$each")"
    elif [ -d "$each" ]; then printf "d %s %s\\n" "$mode" "$each"
    else sum=$(sha256sum <"$each"); printf "f %s %s %s\\n" "$mode" "\${sum%% *}" "$each"; fi
  done' sh
  if [ -d ${MANY} ]; then
    modes=$(find ${MANY} -print0 | sort -z | xargs -0 stat -c "%a %n" | sha256sum)
    sums=$(find ${MANY} -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum)
    echo "$(find ${MANY} -type f | wc -l) ${MANY} \${modes%% *} \${sums%% *}"
  fi
)`;

/** What `listing` prints for a directory of these entries. */
export function listingOf(entries: readonly Entry[]): string {
  const sorted = entries.toSorted((a, b) => Buffer.compare(printed(a.path), printed(b.path)));
  const many = sorted.filter(({ path }) => isOneOfMany(path));
  const lines = sorted.filter(({ path }) => !isOneOfMany(path)).map(lineOf);
  return Buffer.concat([...lines, ...(many.length === 0 ? [] : [sumsOf(many)])]).toString();
}

/** Writes the entries into a directory, which is made anew. */
export async function writeEntries(root: string, entries: readonly Entry[]): Promise<void> {
  await rm(root, { recursive: true, force: true });
  const at = (path: Buffer): Buffer => Buffer.concat([Buffer.from(`${root}/`), path]);
  for (const entry of entries) {
    const path = at(entry.path);
    if (entry.type === "l") await symlink(entry.target, path);
    else if (entry.type === "d") await mkdir(path, { recursive: true });
    else if (entry.sameAs === undefined) await writeFile(path, entry.content);
    else await link(at(Buffer.from(entry.sameAs)), path);
    // The umask takes part in what is made.
    if (entry.type !== "l") await chmod(path, entry.mode);
  }
}

/** A directory, which may arrive with another mode. */
export function directory(path: string, mode = 0o755, arrives = mode): Directory {
  return { type: "d", path: Buffer.from(path), mode, arrives };
}

/** A file, which may arrive with another mode. */
export function file(
  path: string | Buffer,
  content: string | Buffer,
  mode = 0o644,
  arrives = mode,
): File {
  const [name, bytes] = [path, content].map((each) => Buffer.from(each as string));
  return { type: "f", path: name as Buffer, mode, arrives, content: bytes as Buffer };
}

/** Another name of a file. */
export function hardLink(path: string, to: File): File {
  return { ...to, path: Buffer.from(path), sameAs: to.path.toString() };
}

/** A symbolic link. */
export function symbolicLink(path: string, target: string): SymbolicLink {
  return { type: "l", path: Buffer.from(path), target };
}

function lineOf(entry: Entry): Buffer {
  const sum = entry.type === "f" ? ` ${sha256(entry.content)}` : "";
  const target = entry.type === "l" ? ` -> ${entry.target}` : "";
  return Buffer.concat([
    Buffer.from(`${entry.type} ${modeOf(entry)}${sum} `),
    printed(entry.path),
    Buffer.from(`${target}\n`),
  ]);
}

function sumsOf(entries: readonly Entry[]): Buffer {
  const files = entries.filter((entry) => entry.type === "f");
  const modes = entries.map((entry) => `${modeOf(entry)} ${entry.path.toString()}\n`).join("");
  const sums = files
    .map(({ path, content }) => `${sha256(content)}  ${path.toString()}\n`)
    .join("");
  return Buffer.from(`${files.length} ${MANY} ${sha256(modes)} ${sha256(sums)}\n`);
}

function isOneOfMany(path: Buffer): boolean {
  return new RegExp(`^${MANY}(/|$)`).test(path.toString());
}

function modeOf(entry: Entry): string {
  return entry.type === "l" ? "777" : entry.arrives.toString(8);
}

/** As `find .` prints it. */
function printed(path: Buffer): Buffer {
  return path.toString() === "." ? path : Buffer.concat([Buffer.from("./"), path]);
}

function sha256(content: Buffer | string): string {
  return createHash("sha256").update(content).digest("hex");
}
