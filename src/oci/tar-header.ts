/** An entry as it is written into a layer. */
export interface LayerEntry {
  /** From the image's root, without a slash at either end; the bytes of the file system's names, which need not be UTF-8. */
  readonly path: Buffer;
  readonly kind: "file" | "directory" | "link";
  /** Permission bits. */
  readonly mode: number;
  /** Bytes of content; 0 for everything but files. */
  readonly size: number;
  /** Where a link leads; empty for others. */
  readonly target: Buffer;
}

const BLOCK = 512;

/** Two empty blocks end an archive (POSIX pax, "ustar Interchange Format"). */
export const END_OF_ARCHIVE: Buffer = Buffer.alloc(2 * BLOCK);

const NAME_BYTES = 100;

/** What eleven octal digits hold. */
const MAX_OCTAL_SIZE = 8 ** 11 - 1;

const TYPES = { file: "0", directory: "5", link: "2" } as const;

/** Name of the record that goes before an entry; no reader makes a file of it. */
const PAX_NAME = Buffer.from("././@PaxHeader");

/**
 * The header blocks of an entry: ustar, and a pax record before it for what does not fit there. Owner 0:0 and the epoch as time,
 * so that the same model gives the same bytes wherever and whenever it is archived.
 */
export function entryHeader(entry: LayerEntry): Buffer {
  const { kind, mode, size, target } = entry;
  const path = kind === "directory" ? Buffer.concat([entry.path, Buffer.from("/")]) : entry.path;
  const records = [
    ...(path.length > NAME_BYTES ? [record("path", path)] : []),
    ...(target.length > NAME_BYTES ? [record("linkpath", target)] : []),
    ...(size > MAX_OCTAL_SIZE ? [record("size", Buffer.from(String(size)))] : []),
  ];
  const own = block({ name: path, type: TYPES[kind], mode, size, target });
  if (records.length === 0) return own;
  const content = Buffer.concat(records);
  const pax = block({ name: PAX_NAME, type: "x", mode: 0o644, size: content.length });
  return Buffer.concat([pax, content, padding(content.length), own]);
}

/** The zeros after content of that many bytes: everything in an archive fills whole blocks. */
export function padding(size: number): Buffer {
  return Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK);
}

interface Block {
  readonly name: Buffer;
  readonly type: string;
  readonly mode: number;
  readonly size: number;
  readonly target?: Buffer;
}

function block({ name, type, mode, size, target }: Block): Buffer {
  const header = Buffer.alloc(BLOCK);
  // What is longer is in a record, and cut here.
  name.copy(header, 0, 0, NAME_BYTES);
  header.write(octal(mode, 7), 100);
  header.write(octal(0, 7), 108);
  header.write(octal(0, 7), 116);
  header.write(octal(size > MAX_OCTAL_SIZE ? 0 : size, 11), 124);
  header.write(octal(0, 11), 136);
  header.write(type, 156);
  target?.copy(header, 157, 0, NAME_BYTES);
  header.write("ustar\x0000", 257, "latin1");
  header.write(octal(0, 7), 329);
  header.write(octal(0, 7), 337);
  // The checksum's own field counts as blanks.
  header.write("        ", 148);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${octal(sum, 6)}\0 `, 148, "latin1");
  return header;
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, "0");
}

/** `<length> <key>=<value>\n`; the length counts its own digits. */
function record(key: string, value: Buffer): Buffer {
  const rest = key.length + value.length + 3;
  let length = rest + String(rest).length;
  // One digit more may make the number longer by one digit.
  if (String(length).length > String(rest).length) length = rest + String(length).length;
  return Buffer.concat([Buffer.from(`${length} ${key}=`), value, Buffer.from("\n")]);
}
