import { createHash } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  digestOf,
  hashedSource,
  knownSource,
  type BlobContent,
  type BlobSource,
} from "./blob-source.ts";

const BYTES = Buffer.from(Array.from({ length: 10_000 }, (_, index) => (index * 31) % 251));
const DIGEST = sha256(BYTES);

describe("the digest of content", () => {
  test("is that of sha256, and known once everything was read", async () => {
    const source = hashedSource(contentOf(BYTES));
    expect(source.digest()).toBeUndefined();
    await read(source, 0, BYTES.length - 1000);
    expect(source.digest()).toBeUndefined();
    await read(source, 0);
    expect(source.digest()).toBe(DIGEST);
  });

  test("is the same however reads break off and begin again", async () => {
    const reads = fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(4000)), {
      maxLength: 12,
    });
    const lengths = fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(reads, lengths, async (each, pieces) => {
        const source = hashedSource(contentOf(BYTES, pieces));
        let furthest = 0;
        for (const [part, length] of each) {
          // A registry names an offset up to which it has everything; it can not have more than was read.
          const from = Math.floor(part * furthest);
          const got = await read(source, from, length);
          expect(got.equals(BYTES.subarray(from, from + got.length))).toBe(true);
          furthest = Math.max(furthest, from + got.length);
        }
        expect((await read(source, furthest)).equals(BYTES.subarray(furthest))).toBe(true);
        expect(source.digest()).toBe(DIGEST);
      }),
    );
  });

  test("is the same when a second reader starts before the first has ended", async () => {
    const source = hashedSource(contentOf(BYTES, [100]));
    await Promise.all([read(source, 0), read(source, 0), read(source, 0, 500)]);
    expect(source.digest()).toBe(DIGEST);
  });

  test("is not known of a part, though its end was read", async () => {
    const source = hashedSource(contentOf(BYTES, [100]));
    await read(source, 0, 5000);
    await expect(read(source, 6000)).rejects.toMatchObject({
      fault: "invalid",
      message: "6000 is past what was read, 5000 bytes",
    });
    expect(source.digest()).toBeUndefined();
  });

  test("stays when the content is read again", async () => {
    const source = hashedSource(contentOf(BYTES));
    await read(source, 0);
    await read(source, 0);
    await read(source, 4000);
    expect(source.digest()).toBe(DIGEST);
  });

  test("can be had by reading for it alone", async () => {
    expect(await digestOf(hashedSource(contentOf(BYTES)))).toBe(DIGEST);
  });

  test("that is known from elsewhere is not computed", async () => {
    const source = knownSource(contentOf(BYTES), "sha256:known");
    expect(source.digest()).toBe("sha256:known");
    source.reset();
    await read(source, 0);
    expect(source.digest()).toBe("sha256:known");
  });
});

describe("content that changes", () => {
  test("between two reads has the digest of what was read first", async () => {
    const bytes = Buffer.from(BYTES);
    const source = hashedSource(contentOf(bytes, [100]));
    await read(source, 0, 5000);
    bytes.fill(0);
    await read(source, 0);
    expect(source.digest()).toBe(
      sha256(Buffer.concat([BYTES.subarray(0, 5000), bytes.subarray(5000)])),
    );
  });

  test.each([[0], [5000], [10_000]])(
    "has the digest of what is there now after it was reset, %i bytes on",
    async (length) => {
      const bytes = Buffer.from(BYTES);
      const source = hashedSource(contentOf(bytes, [100]));
      await read(source, 0, length);
      bytes.fill(1);
      source.reset();
      expect(source.digest()).toBeUndefined();
      await expect(read(source, 1)).rejects.toThrow("1 is past what was read, 0 bytes");
      await read(source, 0);
      expect(source.digest()).toBe(sha256(bytes));
    },
  );

  test.each([
    ["shorter", 9_999],
    ["longer", 10_001],
  ])("and becomes %s than it says is an error", async (_, length) => {
    const source = hashedSource({ ...contentOf(Buffer.alloc(length)), size: 10_000 });
    await expect(read(source, 0)).rejects.toMatchObject({
      fault: "invalid",
      message: `the content has ${length} bytes instead of 10000`,
    });
  });
});

/** Content in pieces of these lengths, again and again; each piece is overwritten when the next is asked for. */
function contentOf(bytes: Buffer, lengths: readonly number[] = [1000]): BlobContent {
  return {
    size: bytes.length,
    async *read(from) {
      const buffer = Buffer.alloc(Math.max(...lengths));
      let at = from;
      for (let index = 0; at < bytes.length; index++) {
        const length = bytes.copy(buffer, 0, at, at + (lengths[index % lengths.length] ?? 1));
        yield await Promise.resolve(buffer.subarray(0, length));
        buffer.fill(0xee);
        at += length;
      }
    },
  };
}

/** Reads from there on until there are so many bytes at least. */
async function read(source: BlobSource, from: number, length = Infinity): Promise<Buffer> {
  const all: Buffer[] = [];
  let taken = 0;
  if (length === 0) return Buffer.alloc(0);
  for await (const piece of source.read(from)) {
    all.push(Buffer.from(piece));
    taken += piece.length;
    if (taken >= length) break;
  }
  return Buffer.concat(all);
}

function sha256(bytes: Buffer): string {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}
