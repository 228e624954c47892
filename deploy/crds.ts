/** `npm run crds`: writes deploy/crds from the zod schemas; with `--check`, fails when a file is not up to date. */
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { crdFiles } from "../src/api/crd.ts";

const directory = join(import.meta.dirname, "crds");
const files = crdFiles();

if (process.argv.includes("--check")) {
  const stale = [...files].filter(([name, text]) => readIfThere(join(directory, name)) !== text);
  const extra = readdirSync(directory).filter((name) => !files.has(name));
  if (stale.length > 0 || extra.length > 0) {
    const names = [...stale.map(([name]) => name), ...extra].join(", ");
    process.stderr.write(`deploy/crds is not what src/api says: ${names}. Run: npm run crds\n`);
    process.exit(1);
  }
} else {
  mkdirSync(directory, { recursive: true });
  for (const [name, text] of files) writeFileSync(join(directory, name), text);
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
