import { execFile } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { AREAS, type Area } from "../../imports.ts";

const root = join(import.meta.dirname, "../..");
const tree = mkdtempSync(join(tmpdir(), "modelhook-imports-"));
/** The rules that each planted file breaks, of those that guard the architecture. */
const broken = new Map<string, Set<string>>();
const GUARDS = ["no-restricted-imports", "no-restricted-globals", "no-restricted-properties"];
let seen = 0;

beforeAll(async () => {
  for (const name of ["oxlint.config.ts", "imports.ts", "tsconfig.json", "package.json"]) {
    cpSync(join(root, name), join(tree, name));
  }
  symlinkSync(join(root, "node_modules"), join(tree, "node_modules"));
  const files = [...KINDS_OF_IMPORT, ...AREAS.flatMap(plantedIn)];
  for (const { path, text } of files) {
    mkdirSync(join(tree, path, ".."), { recursive: true });
    writeFileSync(join(tree, path), text);
  }
  const report = await lint();
  seen = report.number_of_files;
  for (const { filename, code } of report.diagnostics) {
    const rule = GUARDS.find((guard) => code.includes(guard));
    if (rule !== undefined) broken.set(filename, (broken.get(filename) ?? new Set()).add(rule));
  }
});
afterAll(() => rmSync(tree, { recursive: true }));

interface Planted {
  readonly path: string;
  readonly text: string;
}

/** The ways to reach another file or package, planted in an area that may reach next to nothing. */
const KINDS_OF_IMPORT: readonly Planted[] = Object.entries({
  value: 'import { x } from "../kube/x.ts"; export const y = x;',
  "type-only": 'import type { X } from "../kube/x.ts"; export type Y = X;',
  "inline-type": 'import { type X } from "../kube/x.ts"; export type Y = X;',
  "side-effect": 'import "../kube/x.ts";',
  "re-export": 'export { x } from "../kube/x.ts";',
  "re-export-of-all": 'export * from "../kube/x.ts";',
  dynamic: 'export const y = await import("../kube/x.ts");',
  detour: 'import { x } from "./../kube/x.ts"; export const y = x;',
  package: 'import express from "express"; export const y = express;',
  "package-type": 'import type { Agent } from "undici"; export type Y = Agent;',
  "package-subpath": 'import { x } from "pino/file.js"; export const y = x;',
  node: 'import { readFileSync } from "node:fs"; export const y = readFileSync;',
  "node-without-prefix": 'import { readFileSync } from "fs"; export const y = readFileSync;',
  main: 'import { x } from "../main.ts"; export const y = x;',
  config: 'import { loadConfig } from "../config.ts"; export const y = loadConfig;',
}).map(([name, text]) => ({ path: `src/api/kinds-${name}.ts`, text }));

const IMPURE: Readonly<Record<string, string>> = {
  clock: "export const y = (): number => Date.now();",
  timer: "export const y = (): unknown => setTimeout(() => {}, 1);",
  process: "export const y = (): unknown => process.pid;",
  network: 'export const y = async (): Promise<unknown> => fetch("https://example.com");',
  global: "export const y = (): unknown => globalThis;",
  random: "export const y = (): string => crypto.randomUUID();",
  output: 'export const y = (): void => console.log("y");',
};

function plantedIn(area: Area): readonly Planted[] {
  const { name } = area;
  const allowed = [
    "./y.ts",
    ...area.imports.map((each) => (each.includes("/") ? `../${each}` : `../${each}/x.ts`)),
    ...area.packages.map((each) => each.replace("*", "fs")),
  ];
  return [
    { path: `src/${name}/allowed.ts`, text: importing(allowed) },
    ...foreignTo(area).map((other) => ({
      path: `src/${name}/foreign-${other}.ts`,
      text: importing([`../${other}/x.ts`]),
    })),
    ...Object.entries(IMPURE).map(([kind, text]) => ({ path: `src/${name}/${kind}.ts`, text })),
    { path: `src/${name}/environment.ts`, text: 'export const y = process.env["HOME"];' },
  ];
}

/** The areas of which an area may import nothing. */
function foreignTo(area: Area): readonly string[] {
  const reachable = new Set([area.name, ...area.imports.map((each) => each.split("/")[0])]);
  return AREAS.map(({ name }) => name).filter((name) => !reachable.has(name));
}

function importing(modules: readonly string[]): string {
  const lines = modules.map((each, index) => `import { x as x${index} } from "${each}";`);
  return [...lines, `export const y = [${modules.map((_, index) => `x${index}`).join()}];`].join(
    "\n",
  );
}

async function lint(): Promise<{
  readonly number_of_files: number;
  readonly diagnostics: readonly { readonly filename: string; readonly code: string }[];
}> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const program = join(root, "node_modules/.bin/oxlint");
  // It ends with 1, as it should: the tree is full of faults.
  execFile(program, ["-f", "json", "src"], { cwd: tree, maxBuffer: 2 ** 26 }, (_, stdout) =>
    resolve(stdout),
  );
  return JSON.parse(await promise) as Awaited<ReturnType<typeof lint>>;
}

test("the linter looks at every planted file", () => {
  expect(seen).toBe(KINDS_OF_IMPORT.length + AREAS.flatMap(plantedIn).length);
});

test.each(KINDS_OF_IMPORT.map(({ path }) => path))("%s is refused", (path) => {
  expect(broken.get(path)).toEqual(new Set(["no-restricted-imports"]));
});

describe.each(AREAS)("src/$name", (area) => {
  test("may import what the table lists", () => {
    expect(broken.get(`src/${area.name}/allowed.ts`)).toBeUndefined();
  });

  test("may import nothing else of ours", () => {
    const refused = foreignTo(area).filter((other) =>
      broken.get(`src/${area.name}/foreign-${other}.ts`)?.has("no-restricted-imports"),
    );
    expect(refused).toEqual(foreignTo(area));
  });

  test("does not read the environment", () => {
    expect([...(broken.get(`src/${area.name}/environment.ts`) ?? [])]).toContain(
      "no-restricted-properties",
    );
  });
});

test.each(AREAS.filter(({ pure }) => pure))(
  "src/$name, which is pure, sees neither clock nor process nor network",
  ({ name }) => {
    const unseen = Object.keys(IMPURE).filter((kind) =>
      broken.get(`src/${name}/${kind}.ts`)?.has("no-restricted-globals"),
    );
    expect(unseen).toEqual(Object.keys(IMPURE));
  },
);

describe("the import table", () => {
  test("lists every folder of src", () => {
    const folders = readdirSync(join(root, "src"), { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
    expect(AREAS.map(({ name }) => name).toSorted()).toEqual(folders.toSorted());
  });

  test("lets areas import only areas that are above them in the table, so there is no ring", () => {
    const above = new Set<string>();
    for (const { name, imports } of AREAS) {
      const below = imports.filter((each) => !above.has(each.split("/")[0] ?? ""));
      expect({ name, below }).toEqual({ name, below: [] });
      above.add(name);
    }
  });

  test("has no folder inside an area", () => {
    const nested = AREAS.flatMap(({ name }) =>
      readdirSync(join(root, "src", name), { withFileTypes: true })
        .filter((entry) => entry.isDirectory())
        .map((entry) => `src/${name}/${entry.name}`),
    );
    expect(nested).toEqual([]);
  });
});
