import type { KubeObject } from "../api/kube-types.ts";
import { faultText } from "./file-fault.ts";
import type { SourceFile } from "./injected-files.ts";
import type { Terminal } from "./terminal.ts";
import { parseYamlFile } from "./yaml-file.ts";

/** Files that could be read, and a line for every fault of the others. */
export interface Sources {
  readonly files: readonly SourceFile[];
  readonly faults: readonly string[];
}

/** A text that could be read, or why it could not. */
export type ReadText =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly fault: string };

/** Errors of the operating system as people say them. */
const WORDS: Readonly<Record<string, string>> = {
  ENOENT: "does not exist",
  EACCES: "may not be read",
  EISDIR: "is a directory",
};

/** Reads files of YAML or JSON. */
export async function readSources(names: readonly string[], terminal: Terminal): Promise<Sources> {
  const files: SourceFile[] = [];
  const input = terminal.files(names);
  const faults = input.faults.map(faultText);
  for (const name of input.files) {
    const read = await readText(name, terminal);
    const parsed = read.ok ? parseYamlFile(read.text, name) : undefined;
    if (!read.ok) faults.push(read.fault);
    else if (parsed?.ok === true)
      files.push({ name, text: read.text, documents: parsed.documents });
    else faults.push(...(parsed?.faults ?? []).map(faultText));
  }
  return { files, faults };
}

/** Reads a file. */
export async function readText(file: string, { read }: Terminal): Promise<ReadText> {
  try {
    return { ok: true, text: await read(file) };
  } catch (error) {
    const { code = "", message } = error as NodeJS.ErrnoException;
    return { ok: false, fault: faultText({ file, message: WORDS[code] ?? message }) };
  }
}

/** All objects of files. */
export function objectsOf({ files }: Sources): readonly KubeObject[] {
  return files.flatMap(({ documents }) =>
    documents.flatMap(({ objects }) => objects.map(({ object }) => object)),
  );
}
