import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import type { FileFault } from "./file-fault.ts";

/** The files that names stand for, and what is wrong with other names. */
export interface InputFiles {
  readonly files: readonly string[];
  readonly faults: readonly FileFault[];
}

/** Files of a directory that are taken, as kubectl takes them. */
const MANIFEST = /\.(?:ya?ml|json)$/;

/** First bytes of a text in UTF-16, as some shells of Windows write it. */
const UTF_16 = /^(?:\xFF\xFE|\xFE\xFF)/;

/**
 * The files that a user named: a directory stands for its manifests, in the order of their names and without those of
 * directories in it, and `-` for standard input. What does not exist is left to be found when it is read.
 */
export function inputFiles(names: readonly string[]): InputFiles {
  const files: string[] = [];
  const faults: FileFault[] = [];
  for (const name of names) {
    if (/^https?:\/\//.test(name)) {
      faults.push({ file: name, message: "is no file; pipe what it serves into -f -" });
    } else if (name === "-" && files.includes("-")) {
      faults.push({ file: name, message: "standard input can be read only once" });
    } else if (name === "-" || !isDirectory(name)) files.push(name);
    else {
      const found = manifestsIn(name);
      files.push(...found);
      if (found.length === 0) {
        faults.push({ file: name, message: "the directory has no .yaml, .yml or .json file" });
      }
    }
  }
  return { files, faults };
}

/** Reads a file, or standard input by `-`; a byte order mark is kept. Throws an Error that says what is wrong with the text. */
export async function readInput(
  name: string,
  stdin: AsyncIterable<Uint8Array> = process.stdin,
): Promise<string> {
  const bytes = name === "-" ? await buffer(stdin) : readFileSync(name);
  if (UTF_16.test(bytes.toString("latin1", 0, 2))) {
    throw new Error("is UTF-16; save it as UTF-8");
  }
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new Error("is not text in UTF-8", { cause });
  }
}

function isDirectory(name: string): boolean {
  return statSync(name, { throwIfNoEntry: false })?.isDirectory() === true;
}

function manifestsIn(directory: string): readonly string[] {
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => MANIFEST.test(entry.name) && !entry.isDirectory())
    .map(({ name }) => join(directory, name))
    .toSorted();
}
