import { randomBytes } from "node:crypto";
import { closeSync, mkdirSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";

/** Bytes of a model: as weights of full precision are, or such that gzip makes them half as many, as it does with some. */
type Content = "random" | "compressible";

/** A model of a benchmark. */
export interface ModelShape {
  readonly name: string;
  readonly files: number;
  readonly bytesPerFile: number;
  readonly content: Content;
}

const GIGABYTES_2 = 2_000_000_000;

/** The models that both engines build. */
export const MODELS = {
  oneFile: shape("one-file", 1, GIGABYTES_2, "random"),
  oneFileCompressible: shape("one-file-compressible", 1, GIGABYTES_2, "compressible"),
  shards: shape("10-shards", 10, GIGABYTES_2 / 10, "random"),
  smallFiles: shape("10000-files", 10_000, 20_000, "random"),
} as const;

const PIECE = 4 * 1024 * 1024;
const FILES_PER_DIRECTORY = 100;

/** Writes the files of a model; gives its bytes. */
export function writeModel(directory: string, model: ModelShape): number {
  for (let index = 0; index < model.files; index++) writeFileOf(directory, model, index);
  return model.files * model.bytesPerFile;
}

/** Writes one file of a model, with other bytes than it had. */
export function writeFileOf(directory: string, model: ModelShape, index: number): void {
  const folder = join(directory, `part-${Math.floor(index / FILES_PER_DIRECTORY)}`);
  mkdirSync(folder, { recursive: true });
  const file = openSync(join(folder, `shard-${index}.bin`), "w", 0o644);
  try {
    for (let left = model.bytesPerFile; left > 0; left -= PIECE) {
      writeSync(file, piece(Math.min(PIECE, left), model.content));
    }
  } finally {
    closeSync(file);
  }
}

function piece(bytes: number, content: Content): Buffer {
  const random = randomBytes(bytes);
  if (content === "random") return random;
  // Every second kilobyte repeats the one before it.
  for (let at = 1024; at < bytes; at += 2048) random.copy(random, at, at - 1024, at);
  return random;
}

function shape(name: string, files: number, bytesPerFile: number, content: Content): ModelShape {
  return { name, files, bytesPerFile, content };
}
