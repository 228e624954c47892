import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  closeSync,
  ftruncateSync,
  lstatSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { makeDirectory, makeFile, makeLink } from "../../test/make/layer-entry.ts";
import { END_OF_ARCHIVE, entryHeader, padding, type LayerEntry } from "./tar-header.ts";
import { readTar, type TarEntry } from "./tar.ts";

const GIBIBYTE = 2 ** 30;

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "modelhook-header-"));
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

describe("GNU tar extracts", () => {
  test.each<[string, LayerEntry]>([
    ["a file", makeFile("weights", 1500)],
    ["a file of whole blocks", makeFile("weights", 1024)],
    ["an empty file", makeFile("empty", 0)],
    ["a file that may be run", makeFile("run.sh", 3, 0o755)],
    ["a file that everybody may write", makeFile("open", 3, 0o666)],
    ["a directory", makeDirectory("variables")],
    ["a directory that all may write to", makeDirectory("variables", 0o777)],
    ["a path of 100 bytes", makeFile("p".repeat(100), 1)],
    ["a path of 101 bytes", makeFile("p".repeat(101), 1)],
    ["a directory of 99 bytes, whose slash still fits", makeDirectory("d".repeat(99))],
    ["a directory of 100 bytes, whose slash does not", makeDirectory("d".repeat(100))],
    ["a name of 255 bytes", makeFile("n".repeat(255), 1)],
    ["a name in two scripts", makeFile("Größe 模型.bin", 1)],
    ["a long name in two scripts", makeFile("模".repeat(60), 1)],
    ["a name that is not UTF-8", makeFile(Buffer.from([0x66, 0xff, 0xfe]), 1)],
    ["a long name that is not UTF-8", makeFile(Buffer.alloc(200, 0xff), 1)],
    ["a name with a line break, which ends records", makeFile("a\nb=c", 1)],
    ["a long name with line breaks", makeFile("a\n".repeat(100), 1)],
    ["a name that begins with a dash", makeFile("-rf", 1)],
    ["a link", makeLink("latest", "weights")],
    ["a link to nowhere", makeLink("latest", "/no/such/file")],
    ["a link to itself", makeLink("loop", "loop")],
    ["a link whose target has 100 bytes", makeLink("far", "t".repeat(100))],
    ["a link whose target has 101 bytes", makeLink("far", "t".repeat(101))],
    // A record counts its own digits, so that lengths from 986 to 988 take one more.
    ...[985, 986, 987, 988, 989].map((length): [string, LayerEntry] => [
      `a link whose target has ${length} bytes`,
      makeLink("far", "t".repeat(length)),
    ]),
    ["a link whose target has 4000 bytes", makeLink("far", "t/".repeat(2000))],
    ["a link whose target is not UTF-8", makeLink("far", Buffer.alloc(150, 0xfe))],
    ["a long link with a long target", makeLink("l".repeat(200), "t".repeat(200))],
  ])("%s", (_, entry) => {
    expect(extracted([entry])).toEqual([asExtracted(entry)]);
  });

  test("whatever names and targets are, in one archive", () => {
    const name = fc
      .uint8Array({ minLength: 1, maxLength: 255 })
      .map((bytes) => bytes.filter((byte) => byte !== 0 && byte !== 0x2f))
      .filter((bytes) => bytes.length > 0 && !/^\.\.?$/.test(Buffer.from(bytes).toString()))
      .map((bytes) => Buffer.from(bytes));
    const target = fc
      .uint8Array({ minLength: 1, maxLength: 400, min: 1 })
      .map((bytes) => Buffer.from(bytes));
    const entry = fc.oneof(
      fc
        .tuple(name, fc.nat(2000), fc.nat(0o777))
        .map(([path, size, mode]) => makeFile(path, size, mode)),
      name.map((path) => makeDirectory(path)),
      fc.tuple(name, target).map(([path, to]) => makeLink(path, to)),
    );
    const entries = fc.uniqueArray(entry, {
      minLength: 1,
      maxLength: 8,
      selector: ({ path }) => path.toString("hex"),
    });
    fc.assert(
      fc.property(entries, (each) => {
        expect(extracted(each)).toEqual(
          each.toSorted((a, b) => Buffer.compare(a.path, b.path)).map(asExtracted),
        );
      }),
      { numRuns: 40 },
    );
  });

  test("everything as of user 0 and the epoch", () => {
    const listed = list([makeFile("weights", 1), makeDirectory("d"), makeLink("l", "weights")]);
    expect(listed.split("\n").map((line) => line.split(/ +/).slice(0, 5).join(" "))).toEqual([
      "-rw-r--r-- 0/0 1 1970-01-01 00:00:00",
      "drwxr-xr-x 0/0 0 1970-01-01 00:00:00",
      "lrwxrwxrwx 0/0 0 1970-01-01 00:00:00",
    ]);
  });
});

describe("a file", () => {
  test.each([
    ["the most that fits into a header", 8 * GIBIBYTE - 1, 512],
    ["one byte more", 8 * GIBIBYTE, 1536],
    ["as much as a large language model", 900 * GIBIBYTE, 1536],
  ])("of %s is read with its size by GNU tar", (_, size, headerLength) => {
    const header = entryHeader(makeFile("huge", size));
    expect(header).toHaveLength(headerLength);
    // The content is a hole, over which tar jumps.
    const path = join(directory, "huge.tar");
    const file = openSync(path, "w");
    writeSync(file, header);
    ftruncateSync(file, header.length + size + padding(size).length + END_OF_ARCHIVE.length);
    closeSync(file);
    const listed = execFileSync("tar", ["-tvf", path], { encoding: "utf8" });
    expect(listed).toMatch(new RegExp(`^-rw-r--r-- 0/0 +${size} .* huge\n$`));
  });

  test("beyond 8 GiB is read with its size by our own reader", async () => {
    const size = 9 * GIBIBYTE + 1;
    const mebibytes = Buffer.alloc(2 ** 26);
    async function* stream(): AsyncGenerator<Buffer> {
      yield entryHeader(makeFile("huge", size));
      for (let left = size; left > 0; left -= mebibytes.length) yield mebibytes.subarray(0, left);
      yield Buffer.concat([padding(size), END_OF_ARCHIVE]);
    }
    expect(await collect(stream())).toEqual([{ path: "huge", type: "file", size }]);
  });
});

describe("our own reader", () => {
  test("reads the same, whatever the entries are", async () => {
    const name = fc
      .string({ unit: "grapheme", minLength: 1, maxLength: 200 })
      .filter((text) => !/[/\0]/.test(text));
    const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/"));
    const entry = fc.oneof(
      fc.tuple(path, fc.nat(3000)).map(([each, size]) => makeFile(each, size)),
      path.map((each) => makeDirectory(each)),
      fc.tuple(path, path).map(([each, target]) => makeLink(each, target)),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(entry, { maxLength: 10 }), async (entries) => {
        const read = await collect([archive(entries)]);
        expect(read.map((each) => [each.type, each.path, each.size])).toEqual(
          entries.map((each) => [
            each.kind,
            `${each.path.toString()}${each.kind === "directory" ? "/" : ""}`,
            each.size,
          ]),
        );
      }),
    );
  });
});

describe("an archive", () => {
  const entries = [
    makeDirectory("kubedl-model"),
    makeFile("kubedl-model/weights.bin", 700),
    makeFile(`kubedl-model/${"deep/".repeat(30)}x`, 1, 0o755),
    makeLink("kubedl-model/latest", "weights.bin"),
  ];

  test("has the same bytes in every version of this program, so that layers are found again", () => {
    expect(createHash("sha256").update(archive(entries)).digest("hex")).toBe(
      "e78f5d30060f1449538db52d59a0a75066774fabad2e043c9ce3b4ed70ca7bbc",
    );
  });

  test.each<[string, LayerEntry]>([
    ["path", makeFile("other", 700)],
    ["mode", makeFile("weights", 700, 0o755)],
    ["size", makeFile("weights", 701)],
    ["kind", makeDirectory("weights")],
  ])("has other bytes for another %s", (_, entry) => {
    expect(entryHeader(entry)).not.toEqual(entryHeader(makeFile("weights", 700)));
  });

  test("has other bytes for another target", () => {
    expect(entryHeader(makeLink("a", "b"))).not.toEqual(entryHeader(makeLink("a", "c")));
  });
});

/** An entry as it is found on disk; content is the byte `x` again and again. */
type Extracted = readonly [kind: string, path: Buffer, mode: number, what: Buffer];

function asExtracted({ kind, path, mode, size, target }: LayerEntry): Extracted {
  return [kind, path, mode, kind === "file" ? Buffer.alloc(size, "x") : target];
}

function extracted(entries: readonly LayerEntry[]): readonly Extracted[] {
  const root = mkdtempSync(join(directory, "extracted-"));
  execFileSync("tar", ["-xpf", "-", "-C", root], { input: archive(entries) });
  const names = readdirSync(root, { encoding: "buffer" });
  return names
    .toSorted((a, b) => Buffer.compare(a, b))
    .map((name) => {
      const path = Buffer.concat([Buffer.from(`${root}/`), name]);
      const stats = lstatSync(path);
      const mode = stats.mode & 0o7777;
      if (stats.isSymbolicLink()) {
        return ["link", name, mode, readlinkSync(path, { encoding: "buffer" })];
      }
      return stats.isDirectory()
        ? ["directory", name, mode, Buffer.alloc(0)]
        : ["file", name, mode, readFileSync(path)];
    });
}

function list(entries: readonly LayerEntry[]): string {
  const options = ["-tvf", "-", "--full-time", "--utc"];
  return execFileSync("tar", options, { input: archive(entries), encoding: "utf8" }).trim();
}

function archive(entries: readonly LayerEntry[]): Buffer {
  const parts = entries.flatMap((entry) => [
    entryHeader(entry),
    Buffer.alloc(entry.size, "x"),
    padding(entry.size),
  ]);
  return Buffer.concat([...parts, END_OF_ARCHIVE]);
}

async function collect(
  stream: AsyncIterable<Buffer> | Iterable<Buffer>,
): Promise<readonly TarEntry[]> {
  async function* pieces(): AsyncGenerator<Buffer> {
    yield* stream;
  }
  const entries: TarEntry[] = [];
  for await (const entry of readTar(pieces())) entries.push(entry);
  return entries;
}
