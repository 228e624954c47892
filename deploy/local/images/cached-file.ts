import { access, mkdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { cacheDirectory } from "../build.ts";

/**
 * The path of a file that is made once and kept in the cache outside the tree as `<name>-<key>`.
 * `make` writes another path, which is renamed: a file that is there is whole.
 */
export async function cachedFile(
  name: string,
  key: string,
  make: (path: string) => Promise<void>,
): Promise<string> {
  const path = join(cacheDirectory(), "images", `${name}-${key.slice(0, 16)}`);
  if (await exists(path)) return path;
  await mkdir(dirname(path), { recursive: true });
  const unfinished = `${path}.${process.pid}`;
  try {
    await make(unfinished);
    await rename(unfinished, path);
  } finally {
    await rm(unfinished, { force: true });
  }
  return path;
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
