import { ByteReader } from "./byte-reader.ts";
import { RegistryError } from "./registry-error.ts";

/** One entry of a tar archive, without its content. */
export interface TarEntry {
  readonly path: string;
  /** `other` for hard links, devices and what else an archive may hold. */
  readonly type: "file" | "directory" | "link" | "other";
  /** Bytes of content; 0 for everything but files. */
  readonly size: number;
  /** Where a link leads; no more of it than fits into its header (100 bytes). */
  readonly target?: string;
}

const BLOCK = 512;

/** Longest extension record (path, link target) that is kept in memory: paths end at 4 KiB, with room for many of them. */
const MAX_EXTENSION = 1024 * 1024;

/** What the extension headers before an entry say about it. */
interface Extension {
  path?: string | undefined;
  size?: number | undefined;
}

/**
 * Reads the entries of a tar stream (POSIX ustar and pax, GNU long names and base-256 numbers) in constant memory. Throws
 * RegistryError `invalid` for what is no archive, or ends within an entry.
 */
export async function* readTar(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<TarEntry> {
  const reader = new ByteReader(chunks);
  let extension: Extension = {};
  for (;;) {
    const header = await reader.take(BLOCK);
    // Two empty blocks end an archive; some writers leave them out.
    if (header === undefined || header.every((byte) => byte === 0)) break;
    if (!isChecked(header)) throw new RegistryError("invalid", "the layer is not a tar archive");
    const type = String.fromCharCode(header[156] ?? 0);
    const size = number(header, 124, 12);
    if (type === "x" || type === "L") {
      Object.assign(extension, await readExtension(reader, type, size));
      continue;
    }
    const length = extension.size ?? size;
    await skip(reader, length);
    // Global headers and the rest of long link targets say nothing about the next entry that is of interest here.
    if (type === "g" || type === "K") continue;
    const kind = kindOf(type);
    yield {
      path: extension.path ?? pathOf(header),
      type: kind,
      size: kind === "file" ? length : 0,
      ...(kind === "link" ? { target: text(header.subarray(157, 257)) } : {}),
    };
    extension = {};
  }
  // The stream's own end is checked too: a digest is known only when everything was read.
  await reader.drain();
}

async function readExtension(reader: ByteReader, type: string, size: number): Promise<Extension> {
  if (size > MAX_EXTENSION) {
    throw new RegistryError("invalid", `the layer has an extension header of ${size} bytes`);
  }
  const content = await reader.take(size);
  if (content === undefined) throw truncated();
  await skipPadding(reader, size);
  if (type === "L") return { path: text(content) };
  const records = paxRecords(content);
  const bytes = records.get("size");
  return {
    ...(records.has("path") ? { path: records.get("path") } : {}),
    ...(bytes === undefined ? {} : { size: Number(bytes) }),
  };
}

/** Records are `<length> <key>=<value>\n`; the length counts itself. */
function paxRecords(content: Buffer): ReadonlyMap<string, string> {
  const records = new Map<string, string>();
  let start = 0;
  while (start < content.length) {
    const blank = content.indexOf(0x20, start);
    const length = Number(content.toString("latin1", start, blank));
    const equals = content.indexOf(0x3d, blank);
    const end = start + length;
    if (blank === -1 || equals === -1 || !(length > 0) || equals >= end || end > content.length) {
      throw new RegistryError("invalid", "the layer has a broken pax header");
    }
    records.set(
      content.toString("utf8", blank + 1, equals),
      content.toString("utf8", equals + 1, end - 1),
    );
    start = end;
  }
  return records;
}

async function skip(reader: ByteReader, size: number): Promise<void> {
  if (!Number.isSafeInteger(size) || size < 0) {
    throw new RegistryError("invalid", "the layer has an entry of impossible size");
  }
  if (!(await reader.skip(size))) throw truncated();
  await skipPadding(reader, size);
}

async function skipPadding(reader: ByteReader, size: number): Promise<void> {
  if (!(await reader.skip((BLOCK - (size % BLOCK)) % BLOCK))) throw truncated();
}

function truncated(): RegistryError {
  return new RegistryError("invalid", "the layer ends within an entry");
}

function kindOf(type: string): TarEntry["type"] {
  // "7" is a contiguous file, NUL the mark of archives older than POSIX.
  if (type === "0" || type === "7" || type === "\0") return "file";
  if (type === "5") return "directory";
  return type === "2" ? "link" : "other";
}

function pathOf(header: Buffer): string {
  const name = text(header.subarray(0, 100));
  const isPosix = header.toString("latin1", 257, 263) === "ustar\0";
  const prefix = isPosix ? text(header.subarray(345, 500)) : "";
  return prefix === "" ? name : `${prefix}/${name}`;
}

/** Octal digits, or with the first bit set a big-endian number (GNU). */
function number(header: Buffer, offset: number, length: number): number {
  const field = header.subarray(offset, offset + length);
  const first = field[0] ?? 0;
  if ((first & 0x80) === 0) return Number.parseInt(text(field).trim() || "0", 8);
  return field.subarray(1).reduce((value, byte) => value * 256 + byte, first & 0x7f);
}

/** The checksum is the sum of all bytes, its own field taken as blanks. */
function isChecked(header: Buffer): boolean {
  let sum = 0;
  for (let index = 0; index < BLOCK; index++) {
    sum += index >= 148 && index < 156 ? 0x20 : (header[index] ?? 0);
  }
  return sum === number(header, 148, 8);
}

function text(field: Buffer): string {
  const end = field.indexOf(0);
  return field.toString("utf8", 0, end === -1 ? field.length : end);
}
