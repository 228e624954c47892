import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "../../src");

/** Static imports of values; those of types and dynamic ones load nothing. */
const IMPORT = /^(?:import|export) (?!type )[^;]*?from "([^"]+)";/gm;

/** The packages that loading a file loads, with all that it imports. */
function packagesOf(file: string, seen = new Set<string>()): ReadonlySet<string> {
  const packages = new Set<string>();
  if (seen.has(file)) return packages;
  seen.add(file);
  for (const [, specifier = ""] of readFileSync(file, "utf8").matchAll(IMPORT)) {
    const found = specifier.startsWith(".")
      ? packagesOf(join(dirname(file), specifier), seen)
      : [specifier];
    for (const each of found) if (!each.startsWith("node:")) packages.add(each);
  }
  return packages;
}

test("an injection without a cluster loads nothing that only talks to one", () => {
  expect([...packagesOf(join(root, "cli/inject.ts"))].toSorted()).toEqual([
    "fast-json-patch",
    "yaml",
    "zod",
  ]);
});

test("an explanation loads no part of the webhook's server", () => {
  const packages = packagesOf(join(root, "cli/explain.ts"));
  expect([...packages].toSorted()).toEqual(["undici", "yaml", "zod"]);
});

test("the program loads nothing but the parser of its commands before it knows which one to run", () => {
  expect([...packagesOf(join(root, "main.ts"))]).toEqual(["commander"]);
});
