import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readTar, type TarEntry } from "./tar.ts";

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "modelhook-tar-"));
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

const DEEP = `${"d".repeat(90)}/${"e".repeat(90)}/${"f".repeat(120)}`;

describe("reading an archive of GNU tar", () => {
  test.each(["gnu", "posix"])(
    "in the format %s finds every entry, type and size",
    async (format) => {
      write("weights.bin", "x".repeat(1500));
      write("empty", "");
      write("Größe 模型/ü.txt", "unicode");
      write("-n", "dash");
      write(DEEP, "deep");
      mkdirSync(join(directory, "nothing"));
      symlinkSync("weights.bin", join(directory, "latest"));
      symlinkSync("t".repeat(300), join(directory, "far"));
      const entries = await read(archive(format));
      expect(
        Object.fromEntries(entries.map(({ path, type, size }) => [path, [type, size]])),
      ).toEqual({
        "./": ["directory", 0],
        "./weights.bin": ["file", 1500],
        "./empty": ["file", 0],
        "./Größe 模型/": ["directory", 0],
        "./Größe 模型/ü.txt": ["file", 7],
        "./-n": ["file", 4],
        [`./${"d".repeat(90)}/`]: ["directory", 0],
        [`./${"d".repeat(90)}/${"e".repeat(90)}/`]: ["directory", 0],
        [`./${DEEP}`]: ["file", 4],
        "./nothing/": ["directory", 0],
        "./latest": ["link", 0],
        "./far": ["link", 0],
      });
    },
  );

  test.each(["v7", "ustar"])("in the old format %s finds every entry", async (format) => {
    write("a/b", "12345");
    const entries = await read(archive(format));
    expect(entries.map(({ path, type, size }) => [path, type, size])).toEqual([
      ["./", "directory", 0],
      ["./a/", "directory", 0],
      ["./a/b", "file", 5],
    ]);
  });

  test.each([
    ["gnu", 512],
    ["posix", 1536],
  ])("in the format %s reads sizes beyond 8 GiB", async (format, headerLength) => {
    execFileSync("truncate", ["--size=9G", join(directory, "huge")]);
    const command = `tar --format=${format} -cf - -C "$0" huge | head -c ${headerLength}`;
    const header = execFileSync("sh", ["-c", command, directory]);
    const mebibytes = Buffer.alloc(2 ** 26);
    async function* stream(): AsyncGenerator<Buffer> {
      yield header;
      for (let length = 0; length < 9 * 2 ** 30; length += mebibytes.length) yield mebibytes;
    }
    expect(await collect(stream())).toEqual([{ path: "huge", type: "file", size: 9 * 2 ** 30 }]);
  });

  test.each(["gnu", "posix", "ustar"])("in the format %s says where links lead", async (format) => {
    symlinkSync("usr/bin", join(directory, "bin"));
    symlinkSync("/usr/lib", join(directory, "lib"));
    write("file", "");
    const entries = await read(archive(format));
    expect(Object.fromEntries(entries.map(({ path, target }) => [path, target]))).toEqual({
      "./": undefined,
      "./bin": "usr/bin",
      "./file": undefined,
      "./lib": "/usr/lib",
    });
  });

  test("says of hard links that they are neither file nor link", async () => {
    write("a", "1");
    execFileSync("ln", [join(directory, "a"), join(directory, "b")]);
    const entries = await read(archive("gnu"));
    expect(entries.map(({ type }) => type).toSorted()).toEqual(["directory", "file", "other"]);
  });

  test("does not depend on how the stream is cut into pieces", async () => {
    write("weights.bin", "x".repeat(1500));
    write(DEEP, "deep");
    const whole = archive("posix");
    const entries = await read(whole);
    const lengths = fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1 });
    await fc.assert(
      fc.asyncProperty(lengths, async (each) => {
        expect(await read(whole, each)).toEqual(entries);
      }),
    );
  });
});

describe("a stream that is no archive", () => {
  test.each([
    ["text", Buffer.alloc(1024, "no archive "), "the layer is not a tar archive"],
    ["an entry that is cut off", cut(600), "the layer ends within an entry"],
    ["padding that is cut off", cut(1024 + 100), "the layer ends within an entry"],
  ])("%s is refused", async (_, content, message) => {
    await expect(read(content)).rejects.toThrow(message);
  });

  test("with an endless extension header is refused before it is kept in memory", async () => {
    const header = cut(512);
    header.write("x", 156);
    header.write("77777777777\0", 124);
    await expect(read(withChecksum(header))).rejects.toThrow(/extension header of \d+ bytes/);
  });

  test("with a pax record that is longer than its header is refused", async () => {
    const header = cut(512);
    header.write("x", 156);
    header.write("00000000020\0", 124);
    const record = Buffer.alloc(512);
    record.write("99 path=a\n");
    await expect(read(Buffer.concat([withChecksum(header), record]))).rejects.toThrow(
      "a broken pax header",
    );
  });
});

function write(path: string, content: string): void {
  mkdirSync(dirname(join(directory, path)), { recursive: true });
  writeFileSync(join(directory, path), content);
}

function archive(format: string): Buffer {
  return execFileSync("tar", [`--format=${format}`, "-cf", "-", "-C", directory, "."]);
}

async function read(
  archived: Buffer,
  lengths: readonly number[] = [],
): Promise<readonly TarEntry[]> {
  return collect(pieces(archived, lengths));
}

async function collect(stream: AsyncIterable<Buffer>): Promise<readonly TarEntry[]> {
  const entries: TarEntry[] = [];
  for await (const entry of readTar(stream)) entries.push(entry);
  return entries;
}

/** The archive in pieces of these lengths, again and again; whole when there are none. */
async function* pieces(archived: Buffer, lengths: readonly number[]): AsyncGenerator<Buffer> {
  let start = 0;
  for (let index = 0; start < archived.length; index++) {
    const length = lengths[index % lengths.length] ?? archived.length;
    yield archived.subarray(start, start + length);
    start += length;
  }
}

/** The first bytes of an archive of one file of 600 bytes. */
function cut(length: number): Buffer {
  const header = Buffer.alloc(512);
  header.write("file");
  header.write("00000001130\0", 124);
  header.write("0", 156);
  return Buffer.concat([withChecksum(header), Buffer.alloc(1024)]).subarray(0, length);
}

function withChecksum(header: Buffer): Buffer {
  header.fill(" ", 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return header;
}
