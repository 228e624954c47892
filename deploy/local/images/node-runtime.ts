import { join } from "node:path";
import { isProgramMissing, run } from "../command.ts";
import { cachedFile } from "./cached-file.ts";
import { type Entry, hashFile } from "./layer.ts";

/** The Node.js that package.json pins. */
const NODE = join(import.meta.dirname, "../../../node_modules/node/bin/node");

/** Node.js as /usr/local/bin/node without symbols, and the shared libraries of this machine that it needs. */
export async function nodeRuntime(): Promise<Entry[]> {
  const node = await cachedFile("node", await hashFile(NODE), strip);
  const libraries = await findLibraries();
  return [
    { path: "usr/local/bin/node", copyOf: node, mode: 0o755 },
    ...libraries.map((path) => ({ path: path.slice(1), copyOf: path, mode: 0o755 })),
  ];
}

async function strip(path: string): Promise<void> {
  await run("strip", ["-o", path, NODE]).catch((error: unknown) => {
    if (!isProgramMissing(error)) throw error;
    throw new Error("there is no `strip` in PATH: install binutils", { cause: error });
  });
}

async function findLibraries(): Promise<string[]> {
  const listed = await run("ldd", [NODE]);
  return [...listed.matchAll(/(\/\S+) \(0x/g)].map(([, path]) => path as string);
}
