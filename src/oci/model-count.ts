import { pipeline, Readable, type Duplex } from "node:stream";
import { createGunzip, createZstdDecompress } from "node:zlib";
import type { Descriptor } from "./manifest.ts";
import { RegistryError } from "./registry-error.ts";
import type { Repository } from "./repository.ts";
import { hasShell, NOTHING_SEEN, withEntry } from "./shell.ts";
import { readTar, type TarEntry } from "./tar.ts";
import { textOf } from "./transport.ts";

/** How much of what a model consists of; its own root directory is not counted. */
export interface ModelCount {
  readonly files: number;
  /** Of all files together. */
  readonly bytes: number;
  readonly links: number;
  readonly directories: number;
}

/** What the layers of an image hold. */
export interface ImageContent {
  readonly model: ModelCount;
  /** Whether there is a `/bin/sh`; undefined when that can not be said. */
  readonly shell: boolean | undefined;
}

/** Pieces that are unpacked at once; the 16 KiB of the default make four times as many calls as registries send pieces. */
const PIECE = { chunkSize: 64 * 1024 };

/** Where the model lies in an image. */
const ROOT = "kubedl-model/";

/**
 * Counts the model in an image and looks for a shell by reading all its layers, in constant memory. A path that two layers hold
 * counts twice: our images have the model in one layer, so a base that brings a model of its own is seen as a difference.
 */
export async function readContent(
  repository: Repository,
  layers: readonly Descriptor[],
): Promise<ImageContent> {
  let model: ModelCount = { files: 0, bytes: 0, links: 0, directories: 0 };
  let seen = NOTHING_SEEN;
  for (const [index, layer] of layers.entries()) {
    for await (const entry of readTar(uncompressed(repository, layer))) {
      const name = entry.path.replace(/^(?:\.?\/)+/, "");
      // A link or a file in the root's place is none of a model's.
      const isInModel =
        name.startsWith(ROOT) || (`${name}/` === ROOT && entry.type !== "directory");
      if (isInModel) model = name === ROOT ? model : withCounted(model, entry);
      else seen = withEntry(seen, entry, index);
    }
  }
  return { model, shell: hasShell(seen) };
}

/** True when both count the same. */
export function isSameCount(a: ModelCount, b: ModelCount): boolean {
  return (
    a.files === b.files &&
    a.bytes === b.bytes &&
    a.links === b.links &&
    a.directories === b.directories
  );
}

/** `3 files, 120 bytes, 0 links, 1 directories`. */
export function countText({ files, bytes, links, directories }: ModelCount): string {
  return `${files} files, ${bytes} bytes, ${links} links, ${directories} directories`;
}

function withCounted(count: ModelCount, { type, size }: TarEntry): ModelCount {
  return {
    files: count.files + (type === "file" || type === "other" ? 1 : 0),
    bytes: count.bytes + size,
    links: count.links + (type === "link" ? 1 : 0),
    directories: count.directories + (type === "directory" ? 1 : 0),
  };
}

async function* uncompressed(
  repository: Repository,
  layer: Descriptor,
): AsyncGenerator<Uint8Array> {
  const blob = repository.blob(layer);
  const decompressor = decompressorOf(layer.mediaType);
  if (decompressor === undefined) {
    yield* blob;
    return;
  }
  const source = Readable.from(blob, { objectMode: false });
  // The callback is told what the loop below is told, too.
  pipeline(source, decompressor, () => undefined);
  try {
    yield* decompressor as AsyncIterable<Uint8Array>;
  } catch (cause) {
    if (cause instanceof RegistryError) throw cause;
    const message = `layer ${layer.digest} can not be unpacked: ${textOf(cause)}`;
    throw new RegistryError("invalid", message, { cause });
  }
}

/** By the suffix of the media type: `+gzip`, `.tar.gzip`, `+zstd`; none is a plain tar. */
function decompressorOf(mediaType: string): Duplex | undefined {
  if (/[+.]gzip$/.test(mediaType)) return createGunzip(PIECE);
  if (/[+.]zstd$/.test(mediaType)) return createZstdDecompress(PIECE);
  return undefined;
}
