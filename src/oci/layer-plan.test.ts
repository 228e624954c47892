import { createHash } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { makeDirectory, makeFile, makeLink } from "../../test/make/layer-entry.ts";
import { planLayers, type LayerPlan } from "./layer-plan.ts";
import type { LayerEntry } from "./tar-header.ts";

const MEBIBYTE = 2 ** 20;
const GIBIBYTE = 2 ** 30;
const ROOT = "kubedl-model";

/** Files by their paths in the model, and their sizes. */
type Sizes = Readonly<Record<string, number>>;

describe("a model's layers", () => {
  test("are one for each large file, and one for all that is left", () => {
    const plans = planLayers([
      makeDirectory(ROOT),
      makeFile(`${ROOT}/a.bin`, 16 * MEBIBYTE),
      makeFile(`${ROOT}/config.json`, 100),
      makeDirectory(`${ROOT}/empty`),
      makeLink(`${ROOT}/latest`, "a.bin"),
      makeDirectory(`${ROOT}/shards`),
      makeFile(`${ROOT}/shards/1.bin`, 5 * GIBIBYTE),
      makeFile(`${ROOT}/shards/1.json`, 16 * MEBIBYTE - 1),
    ]);
    expect(plans.map(pathsOf)).toEqual([
      [
        ROOT,
        `${ROOT}/config.json`,
        `${ROOT}/empty`,
        `${ROOT}/latest`,
        `${ROOT}/shards`,
        `${ROOT}/shards/1.json`,
      ],
      [ROOT, `${ROOT}/a.bin`],
      [ROOT, `${ROOT}/shards`, `${ROOT}/shards/1.bin`],
    ]);
  });

  test("begin with the one that has all directories and links, also when it has no file", () => {
    const plans = planLayers(entriesOf({ "a/b.bin": GIBIBYTE }));
    expect(plans.map(pathsOf)).toEqual([
      [ROOT, `${ROOT}/a`],
      [ROOT, `${ROOT}/a`, `${ROOT}/a/b.bin`],
    ]);
  });

  test("keep a directory apart from a sibling whose name begins like its own", () => {
    const plans = planLayers([
      makeDirectory(ROOT),
      makeDirectory(`${ROOT}/a`),
      makeFile(`${ROOT}/a-b.bin`, GIBIBYTE),
    ]);
    expect(plans.map(pathsOf)[1]).toEqual([ROOT, `${ROOT}/a-b.bin`]);
  });

  test.each([
    ["64 large files", numbered(64, GIBIBYTE), 65],
    ["65 large files, of which some share a layer", numbered(65, GIBIBYTE), 40],
    ["a thousand large files", numbered(1000, GIBIBYTE), 65],
    ["small files of 128 MiB together", numbered(16, 8 * MEBIBYTE), 1],
    ["small files of a byte more", { ...numbered(16, 8 * MEBIBYTE), more: 1 }, 2],
    ["small files of a terabyte", numbered(1000, 15 * MEBIBYTE), 16],
  ])("of %s are as many as expected", (_, sizes, count) => {
    expect(planLayers(entriesOf(sizes))).toHaveLength(count);
  });

  test("are at most 80, whatever the model", () => {
    fc.assert(
      fc.property(anyModel(), (sizes) => {
        expect(planLayers(entriesOf(sizes)).length).toBeLessThanOrEqual(80);
      }),
    );
  });

  test("hold every file and link once, and every directory", () => {
    fc.assert(
      fc.property(anyModel(), (sizes) => {
        const entries = entriesOf(sizes);
        const planned = planLayers(entries).flatMap((plan) => plan.entries);
        const others = planned.filter(({ kind }) => kind !== "directory");
        const wanted = entries.filter(({ kind }) => kind !== "directory");
        expect(others.map(pathOf).toSorted(byName)).toEqual(wanted.map(pathOf).toSorted(byName));
        expect(new Set(planned)).toEqual(new Set(entries));
      }),
    );
  });

  test("hold each directory once, before what is in it, and no more of them than they need", () => {
    fc.assert(
      fc.property(anyModel(), (sizes) => {
        for (const plan of planLayers(entriesOf(sizes)).slice(1)) {
          const paths = pathsOf(plan);
          expect(new Set(paths).size).toBe(paths.length);
          const seen = new Set([""]);
          for (const { path, kind } of plan.entries) {
            const above = path.toString().split("/").slice(0, -1).join("/");
            expect(seen).toContain(above);
            if (kind === "directory") seen.add(path.toString());
          }
          seen.delete("");
          for (const path of seen) {
            expect(paths.some((each) => each.startsWith(`${path}/`))).toBe(true);
          }
        }
      }),
    );
  });

  test("have different keys, which depend on nothing but the model", () => {
    fc.assert(
      fc.property(anyModel(), (sizes) => {
        const keys = planLayers(entriesOf(sizes)).map(({ key }) => key);
        expect(new Set(keys).size).toBe(keys.length);
        for (const key of keys) expect(key).toMatch(/^[0-9a-f]{16}$/);
        expect(planLayers(entriesOf(sizes)).map(({ key }) => key)).toEqual(keys);
      }),
    );
  });
});

describe("from one version of a model to the next", () => {
  const large = { ...numbered(20, GIBIBYTE), "config.json": 100, "vocabulary.txt": 5000 };
  const many = { ...numbered(200, GIBIBYTE), "config.json": 100 };
  const small = numbered(400, MEBIBYTE);

  test.each<[string, Sizes, Sizes, number]>([
    ["a large file changes", large, { ...large, "7.bin": GIBIBYTE + 1 }, 1],
    ["a large file is added", large, { ...large, "new.bin": GIBIBYTE }, 1],
    ["a large file is removed", large, without(large, "7.bin"), 0],
    ["a small file changes", large, { ...large, "config.json": 101 }, 1],
    ["a small file is added", large, { ...large, "new.json": 1 }, 1],
    ["a small file becomes large", large, { ...large, "config.json": GIBIBYTE }, 2],
    ["a large file is renamed", large, { ...without(large, "7.bin"), "seven.bin": GIBIBYTE }, 1],
    ["one of very many large files changes", many, { ...many, "7.bin": GIBIBYTE + 1 }, 1],
    ["one is added to very many large files", many, { ...many, "new.bin": GIBIBYTE }, 1],
    ["one is taken from very many large files", many, without(many, "7.bin"), 1],
    ["one of very many small files changes", small, { ...small, "7.bin": MEBIBYTE + 1 }, 1],
    ["one is added to very many small files", small, { ...small, "new.json": MEBIBYTE }, 1],
    ["a directory is added, which the layer of all directories shows", small, nested(small), 2],
  ])("when %s, no more layers are sent than have to be", (_, before, after, count) => {
    expect(changedLayers(before, after)).toHaveLength(count);
  });

  test("every layer that is sent again has the key of the one that it takes the place of", () => {
    const before = planLayers(entriesOf(many)).map(({ key }) => key);
    const after = planLayers(entriesOf({ ...many, "7.bin": GIBIBYTE + 1 })).map(({ key }) => key);
    expect(after).toEqual(before);
  });

  test("a model that grows file by file is parted anew only each time that its rest has doubled", () => {
    const versions = Array.from({ length: 110 }, (_, index) => numbered(index + 1, 10 * MEBIBYTE));
    let known = new Set<string>();
    let anew = 0;
    let sent = 0;
    for (const sizes of versions) {
      const contents = planLayers(entriesOf(sizes)).map(contentOf);
      const fresh = contents.filter((each) => !known.has(each));
      if (fresh.length === contents.length) anew += 1;
      sent += fresh.length;
      known = new Set(contents);
    }
    // The one layer of the first 12 files is sent each time; then there are 2, 4, 8 and 16.
    expect(anew).toBe(12 + 4);
    expect(sent).toBe(12 + 2 + 4 + 8 + 16 + (110 - 12 - 4));
  });
});

/** The layers of the version after that the registry does not have from the version before. */
function changedLayers(before: Sizes, after: Sizes): readonly LayerPlan[] {
  const known = new Set(planLayers(entriesOf(before)).map(contentOf));
  return planLayers(entriesOf(after)).filter((plan) => !known.has(contentOf(plan)));
}

/** Stands for a layer's digest; files of one size are the same here. */
function contentOf({ entries }: LayerPlan): string {
  const text = entries.map(({ path, kind, size }) => `${kind} ${path.toString()} ${size}`);
  return createHash("sha256").update(text.join("\n")).digest("hex");
}

/** Up to 200 files of all sizes in directories of three levels. */
function anyModel(): fc.Arbitrary<Sizes> {
  const part = fc.constantFrom("a", "a-b", "ab", "b", "ü", "0");
  const path = fc
    .tuple(fc.array(part, { maxLength: 3 }), fc.nat(1000))
    .map(([parts, number]) => [...parts, `file-${number}`].join("/"));
  const size = fc.oneof(
    fc.nat(1000),
    fc.integer({ min: 10 * MEBIBYTE, max: 20 * MEBIBYTE }),
    fc.constant(GIBIBYTE),
  );
  return fc
    .uniqueArray(fc.tuple(path, size), {
      maxLength: 200,
      selector: ([each]) => each,
      size: "max",
    })
    .map((files) => Object.fromEntries(files));
}

/** The entries of a model with these files in the order of a walk, its own directory first. */
function entriesOf(sizes: Sizes): readonly LayerEntry[] {
  const entries = new Map([[ROOT, makeDirectory(ROOT)]]);
  for (const [file, size] of Object.entries(sizes)) {
    const parts = file.split("/");
    for (let depth = 1; depth < parts.length; depth++) {
      const path = `${ROOT}/${parts.slice(0, depth).join("/")}`;
      entries.set(path, makeDirectory(path));
    }
    entries.set(`${ROOT}/${file}`, makeFile(`${ROOT}/${file}`, size));
  }
  // A walk sorts the names of each level, where a separator comes before every character.
  return [...entries.values()].toSorted((a, b) =>
    byName(pathOf(a).replaceAll("/", "\0"), pathOf(b).replaceAll("/", "\0")),
  );
}

/** So many files of one size. */
function numbered(count: number, size: number): Sizes {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`${index}.bin`, size]));
}

function without(sizes: Sizes, file: string): Sizes {
  return Object.fromEntries(Object.entries(sizes).filter(([path]) => path !== file));
}

function nested(sizes: Sizes): Sizes {
  return { ...sizes, "new/file": MEBIBYTE };
}

function pathsOf({ entries }: LayerPlan): readonly string[] {
  return entries.map(pathOf);
}

function pathOf({ path }: LayerEntry): string {
  return path.toString();
}

function byName(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
