import type { BlobContent } from "./blob-source.ts";
import { END_OF_ARCHIVE, entryHeader, padding, type LayerEntry } from "./tar-header.ts";

/** An open file of a model. */
interface OpenFile {
  /** Fills a part of the buffer with the bytes from that position on; gives how many, 0 at the end. */
  read(buffer: Uint8Array, offset: number, length: number, position: number): Promise<number>;
  close(): void;
}

/** Opens a file of the model; throws when it is not there any more, or has another size. */
export type OpenModelFile = (entry: LayerEntry) => OpenFile;

/** Bytes that are read, hashed and sent at once. */
const PIECE_BYTES = 1024 * 1024;

/** A part of an archive: bytes that are at hand, or the content of a file. */
type Segment = { readonly bytes: Buffer } | { readonly file: LayerEntry };

/**
 * The archive of these entries, uncompressed, so that its digest is the layer's diffID as well (OCI image specification,
 * layer.md and config.md). It is made while it is read, in one buffer. `changed` gives the error for a file that ends early.
 */
export function layerContent(
  entries: readonly LayerEntry[],
  open: OpenModelFile,
  changed: (entry: LayerEntry) => Error,
): BlobContent {
  return {
    size: sizeOf(entries),
    async *read(from) {
      const buffer = Buffer.allocUnsafeSlow(PIECE_BYTES);
      let filled = 0;
      let skip = from;
      for (const segment of segmentsOf(entries)) {
        const length = "bytes" in segment ? segment.bytes.length : segment.file.size;
        if (skip >= length) {
          skip -= length;
          continue;
        }
        let position = skip;
        skip = 0;
        const file = "bytes" in segment ? undefined : open(segment.file);
        try {
          while (position < length) {
            const room = Math.min(PIECE_BYTES - filled, length - position);
            if ("bytes" in segment) segment.bytes.copy(buffer, filled, position, position + room);
            const read =
              file === undefined ? room : await file.read(buffer, filled, room, position);
            if (read === 0 && "file" in segment) throw changed(segment.file);
            position += read;
            filled += read;
            if (filled < PIECE_BYTES) continue;
            yield buffer;
            filled = 0;
          }
        } finally {
          file?.close();
        }
      }
      if (filled > 0) yield buffer.subarray(0, filled);
    },
  };
}

function* segmentsOf(entries: readonly LayerEntry[]): Generator<Segment> {
  for (const entry of entries) {
    yield { bytes: entryHeader(entry) };
    if (entry.size === 0) continue;
    yield { file: entry };
    yield { bytes: padding(entry.size) };
  }
  yield { bytes: END_OF_ARCHIVE };
}

function sizeOf(entries: readonly LayerEntry[]): number {
  return entries.reduce(
    (sum, entry) => sum + entryHeader(entry).length + entry.size + padding(entry.size).length,
    END_OF_ARCHIVE.length,
  );
}
