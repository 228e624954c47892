import { createHash, type Hash } from "node:crypto";
import { RegistryError } from "./registry-error.ts";

/** Bytes that can be read more than once, such as a layer that is archived while it is sent. */
export interface BlobContent {
  /** In bytes, known before any is read. */
  readonly size: number;
  /** Pieces from that offset on; one is free to be overwritten when the next is asked for. */
  read(from: number): AsyncIterable<Uint8Array>;
}

/** Content whose digest comes to be known while it is read. */
export interface BlobSource extends BlobContent {
  /** `sha256:` and 64 hex digits; undefined until everything was read once. */
  digest(): string | undefined;
  /** Forgets the digest: what was read first was not what is there now. */
  reset(): void;
}

/** Content whose digest is known. */
export function knownSource(content: BlobContent, digest: string): BlobSource {
  return { ...content, digest: () => digest, reset: () => undefined };
}

/** Hashes content as it is read, each byte once, also when a part of it has to be read again. */
export function hashedSource(content: BlobContent): BlobSource {
  const { size } = content;
  let hash: Hash | undefined = createHash("sha256");
  let hashed = 0;
  let digest: string | undefined;

  function take(piece: Uint8Array, at: number): void {
    // A part that was read before, and whatever another reader of the same bytes is ahead.
    const fresh = piece.subarray(Math.max(0, hashed - at));
    if (fresh.length === 0 || hash === undefined) return;
    hash.update(fresh);
    hashed += fresh.length;
    if (hashed < size) return;
    digest = `sha256:${hash.digest("hex")}`;
    hash = undefined;
  }

  return {
    size,
    digest: () => digest,
    reset() {
      hash = createHash("sha256");
      hashed = 0;
      digest = undefined;
    },
    async *read(from) {
      if (from > hashed) {
        // Bytes that nobody has hashed would be passed over.
        throw new RegistryError("invalid", `${from} is past what was read, ${hashed} bytes`);
      }
      let at = from;
      for await (const piece of content.read(from)) {
        take(piece, at);
        at += piece.length;
        yield piece;
      }
      if (at !== size) {
        throw new RegistryError("invalid", `the content has ${at} bytes instead of ${size}`);
      }
    },
  };
}

/** Reads everything for its digest alone. */
export async function digestOf(source: BlobSource): Promise<string> {
  for await (const _ of source.read(0));
  const digest = source.digest();
  if (digest === undefined) throw new Error("content that was read to its end has no digest");
  return digest;
}
