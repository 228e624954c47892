import {
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { makeDirectory, makeFile, makeLink } from "../../test/make/layer-entry.ts";
import { layerContent, type OpenModelFile } from "./layer-content.ts";
import { END_OF_ARCHIVE, entryHeader, padding, type LayerEntry } from "./tar-header.ts";

const PIECE = 2 ** 20;

const ENTRIES = [
  makeDirectory("m"),
  makeFile("m/empty", 0),
  makeFile(`m/${"long/".repeat(40)}path`, 511),
  makeFile("m/blocks", 1024),
  makeLink("m/link", "blocks"),
  makeFile("m/weights", 2 * PIECE + 77),
  makeFile("m/last", 1),
];

describe("a layer's content", () => {
  const whole = archiveOf(ENTRIES);

  test("is the archive of its entries, as long as it says", async () => {
    const content = layerContent(ENTRIES, inMemory(), changed);
    expect((await collect(content.read(0))).equals(whole)).toBe(true);
    expect(content.size).toBe(whole.length);
  });

  test("from any offset on is the rest of the whole", async () => {
    const content = layerContent(ENTRIES, inMemory(), changed);
    const offset = fc.oneof(
      fc.nat(whole.length),
      fc.constantFrom(...edges(ENTRIES).flatMap((edge) => [edge - 1, edge, edge + 1])),
    );
    await fc.assert(
      fc.asyncProperty(offset, async (from) => {
        expect((await collect(content.read(from))).equals(whole.subarray(from))).toBe(true);
      }),
    );
  });

  test("is the same however few bytes a file gives at once", async () => {
    const few = fc.array(fc.integer({ min: 1, max: 400_000 }), { minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(few, fc.nat(whole.length), async (lengths, from) => {
        const content = layerContent(ENTRIES, inMemory(lengths), changed);
        expect((await collect(content.read(from))).equals(whole.subarray(from))).toBe(true);
      }),
      { numRuns: 30 },
    );
  });

  test("comes in pieces of a mebibyte, whatever the sizes of its files", async () => {
    const lengths: number[] = [];
    for await (const piece of layerContent(ENTRIES, inMemory(), changed).read(0)) {
      lengths.push(piece.length);
    }
    expect(lengths).toEqual([PIECE, PIECE, whole.length - 2 * PIECE]);
  });

  test("of a thousand small files comes in few pieces", async () => {
    const entries = Array.from({ length: 1000 }, (_, index) => makeFile(`f${index}`, 10));
    let pieces = 0;
    for await (const _ of layerContent(entries, inMemory(), changed).read(0)) pieces += 1;
    expect(pieces).toBe(1);
  });

  test("may be read by two at once", async () => {
    const content = layerContent(ENTRIES, inMemory([1000]), changed);
    const [first, second] = await Promise.all([
      collect(content.read(0)),
      collect(content.read(700)),
    ]);
    expect(first.equals(whole)).toBe(true);
    expect(second.equals(whole.subarray(700))).toBe(true);
  });

  test("of nothing is the end of an archive", async () => {
    const content = layerContent([], inMemory(), changed);
    expect(await collect(content.read(0))).toEqual(END_OF_ARCHIVE);
    expect(content.size).toBe(END_OF_ARCHIVE.length);
  });

  test("opens no file before the offset, and none that is empty", async () => {
    const opened: string[] = [];
    const open: OpenModelFile = (entry) => {
      opened.push(entry.path.toString());
      return inMemory()(entry);
    };
    await collect(layerContent(ENTRIES, open, changed).read(4608));
    expect(opened).toEqual(["m/weights", "m/last"]);
  });
});

describe("a file of a layer", () => {
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "modelhook-content-"));
    writeFileSync(join(directory, "a"), Buffer.alloc(3 * PIECE, "a"));
    writeFileSync(join(directory, "b"), Buffer.alloc(PIECE, "b"));
  });

  afterEach(() => {
    rmSync(directory, { recursive: true });
  });

  const entries = [makeFile("a", 3 * PIECE), makeFile("b", PIECE)];

  test("that ends early is named in the error", async () => {
    const content = layerContent(
      [makeFile("a", 3 * PIECE), makeFile("b", PIECE + 1)],
      onDisk,
      changed,
    );
    await expect(collect(content.read(0))).rejects.toThrow("b has changed");
    expect(openBelow(directory)).toEqual([]);
  });

  test("that has grown gives no more than it had", async () => {
    const content = layerContent([makeFile("a", PIECE)], onDisk, changed);
    expect(await collect(content.read(0))).toHaveLength(content.size);
  });

  test.each<[string, (content: AsyncIterable<Uint8Array>) => Promise<unknown>]>([
    ["when everything was read", collect],
    [
      "when the reader stops half-way",
      async (content) => {
        for await (const _ of content) {
          expect(openBelow(directory)).toEqual([join(directory, "a")]);
          break;
        }
      },
    ],
    [
      "when the reader fails half-way",
      async (content) => {
        const reading = async (): Promise<void> => {
          for await (const _ of content) throw new Error("the peer is gone");
        };
        await expect(reading()).rejects.toThrow("the peer is gone");
      },
    ],
  ])("is closed %s", async (_, use) => {
    await use(layerContent(entries, onDisk, changed).read(0));
    expect(openBelow(directory)).toEqual([]);
  });

  test("is closed when it can not be read", async () => {
    const content = layerContent(entries, unreadable, changed);
    await expect(collect(content.read(0))).rejects.toThrow("EIO");
    expect(openBelow(directory)).toEqual([]);
  });

  function unreadable(entry: LayerEntry): ReturnType<OpenModelFile> {
    return { ...onDisk(entry), read: async () => Promise.reject(new Error("EIO")) };
  }

  function onDisk({ path }: LayerEntry): ReturnType<OpenModelFile> {
    const file = openSync(join(directory, path.toString()), "r");
    return {
      read: async (buffer, offset, length, position) =>
        Promise.resolve(readSync(file, buffer, offset, length, position)),
      close: () => closeSync(file),
    };
  }
});

/** Files whose content tells where a byte is from; each read gives no more than the next of these lengths, again and again. */
function inMemory(lengths: readonly number[] = [Infinity]): OpenModelFile {
  return (entry) => {
    const content = contentOf(entry);
    let reads = 0;
    return {
      async read(buffer, offset, length, position) {
        const most = Math.min(length, lengths[reads % lengths.length] ?? length);
        reads += 1;
        const part = content.subarray(position, position + most);
        buffer.set(part, offset);
        return Promise.resolve(part.length);
      },
      close: () => undefined,
    };
  };
}

function contentOf({ path, size }: LayerEntry): Buffer {
  return Buffer.alloc(size, `${path.toString().slice(-7)} and so on, `);
}

function changed({ path }: LayerEntry): Error {
  return new Error(`${path.toString()} has changed`);
}

/** What is to come out, by the parts that other tests look at. */
function archiveOf(entries: readonly LayerEntry[]): Buffer {
  return Buffer.concat([...entries.flatMap(partsOf), END_OF_ARCHIVE]);
}

/** Offsets at which a part ends and the next begins. */
function edges(entries: readonly LayerEntry[]): readonly number[] {
  let at = 0;
  return entries.flatMap(partsOf).map((part) => (at += part.length));
}

function partsOf(entry: LayerEntry): readonly Buffer[] {
  return [entryHeader(entry), contentOf(entry), padding(entry.size)];
}

/** Files below the directory that this process has open. */
function openBelow(directory: string): readonly string[] {
  return readdirSync("/proc/self/fd").flatMap((descriptor) => {
    try {
      const path = readlinkSync(`/proc/self/fd/${descriptor}`);
      return path.startsWith(directory) ? [path] : [];
    } catch {
      // The descriptor by which the directory was read.
      return [];
    }
  });
}

/** All bytes; each piece is copied, since the next may overwrite it. */
async function collect(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Buffer[] = [];
  for await (const piece of pieces) all.push(Buffer.from(piece));
  return Buffer.concat(all);
}
