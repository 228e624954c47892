import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { chmod, copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { run } from "../command.ts";

/** One path of an image, relative to its root: a copied file, a written file, a symbolic link or a directory. */
export type Entry =
  | { readonly path: string; readonly copyOf: string; readonly mode: number }
  | { readonly path: string; readonly text: string; readonly mode: number }
  | { readonly path: string; readonly linkTo: string }
  | { readonly path: string; readonly directoryMode: number };

/** One layer of an image: written only when the registry lacks it. Layers with equal keys have equal bytes. */
export interface Layer {
  readonly key: string;
  /** Writes the layer as a tar archive to `path`. */
  readonly write: (path: string) => Promise<void>;
}

/** A layer of exactly these entries and the directories above them (0755), all owned by root. */
export async function filesLayer(entries: readonly Entry[]): Promise<Layer> {
  const content = await Promise.all(
    entries.map(async (entry) =>
      "copyOf" in entry ? { ...entry, copyOf: await hashFile(entry.copyOf) } : entry,
    ),
  );
  return { key: hashJson(content), write: async (path) => writeFiles(entries, path) };
}

/** Archives a directory so that the same files give the same bytes, owned by root. */
export async function archive(directory: string, path: string): Promise<void> {
  await run("tar", [
    "--create",
    `--file=${path}`,
    "--sort=name",
    "--mtime=@0",
    "--owner=0",
    "--group=0",
    "--numeric-owner",
    `--directory=${directory}`,
    ".",
  ]);
}

/** Hexadecimal sha256 of a value's JSON. */
export function hashJson(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex");
}

/** Hexadecimal sha256 of a file's bytes. */
export async function hashFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex");
}

async function writeFiles(entries: readonly Entry[], path: string): Promise<void> {
  const root = await mkdtemp(join(tmpdir(), "modelhook-layer-"));
  try {
    const parents = new Set(entries.flatMap((entry) => directoriesAbove(entry.path)));
    for (const parent of [...parents].toSorted()) await makeDirectory(join(root, parent), 0o755);
    for (const entry of entries) await writeEntry(entry, join(root, entry.path));
    await archive(root, path);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

/** `a/b/c` gives `a/b`, `a` and `.`, the image's root. */
function directoriesAbove(path: string): string[] {
  const parent = dirname(path);
  return parent === "." ? ["."] : [...directoriesAbove(parent), parent];
}

async function writeEntry(entry: Entry, path: string): Promise<void> {
  if ("linkTo" in entry) {
    await symlink(entry.linkTo, path);
  } else if ("directoryMode" in entry) {
    await makeDirectory(path, entry.directoryMode);
  } else {
    await ("copyOf" in entry ? copyFile(entry.copyOf, path) : writeFile(path, entry.text));
    await chmod(path, entry.mode);
  }
}

async function makeDirectory(path: string, mode: number): Promise<void> {
  await mkdir(path, { recursive: true });
  // The umask takes part in what mkdir makes.
  await chmod(path, mode);
}
