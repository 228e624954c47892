import { createHash } from "node:crypto";
import type { LayerEntry } from "./tar-header.ts";

/** A layer of a model before anything is read. */
export interface LayerPlan {
  /** 16 hex digits, the same for the same share of the model in every version: tells which layer of the version before it may be. */
  readonly key: string;
  /** In the order of the archive; the directories above come before what they hold. */
  readonly entries: readonly LayerEntry[];
}

/** From how many bytes on a file gets a layer of its own: nodes pull layers in parallel, and versions share those that are equal. */
const LARGE_BYTES = 16 * 1024 * 1024;

/** Most layers for large files; where there are more, some share one. */
const MAX_LARGE_LAYERS = 64;

/** The rest is parted when it has more bytes than that a layer. */
const REST_BYTES = 128 * 1024 * 1024;
const MAX_REST_LAYERS = 16;

/**
 * Parts a model into at most 80 layers: one for all directories, links and small files, and one for each large file. Which files
 * share a layer depends on their paths alone, so that one file that changes between versions changes one layer. `entries` are
 * the model's in the order of a walk, a directory before what it holds, its root first.
 */
export function planLayers(entries: readonly LayerEntry[]): readonly LayerPlan[] {
  const files = entries.filter(({ kind }) => kind === "file");
  const large = files.filter(({ size }) => size >= LARGE_BYTES);
  const small = files.filter(({ size }) => size < LARGE_BYTES);
  const restLayers = layersFor(small.reduce((sum, { size }) => sum + size, 0));
  const ofLarge = (entry: LayerEntry): string =>
    large.length <= MAX_LARGE_LAYERS
      ? `file ${hexOf(entry.path)}`
      : `files ${numberOf(entry.path) % MAX_LARGE_LAYERS}`;
  const ofRest = (entry: LayerEntry): string =>
    `rest ${numberOf(entry.path) % restLayers} of ${restLayers}`;
  const first = `rest 0 of ${restLayers}`;
  const shares = new Map<string, LayerEntry[]>([[first, []]]);
  const above: LayerEntry[] = [];
  const written = new Map<string, Set<LayerEntry>>();
  for (const entry of entries) {
    while (above.length > 0 && !isBelow(entry, above.at(-1))) above.pop();
    const share =
      entry.kind !== "file" ? first : entry.size < LARGE_BYTES ? ofRest(entry) : ofLarge(entry);
    const list = shares.get(share) ?? [];
    shares.set(share, list);
    // Without its directories a layer would make them anew, with modes of its unpacker's choice.
    const known = written.get(share) ?? new Set();
    written.set(share, known);
    for (const directory of above.filter((each) => !known.has(each))) {
      known.add(directory);
      list.push(directory);
    }
    list.push(entry);
    if (entry.kind !== "directory") continue;
    known.add(entry);
    above.push(entry);
  }
  return [...shares]
    .filter(([, share]) => share.length > 0)
    .map(([name, share]) => ({ key: hexOf(Buffer.from(name)).slice(0, 16), entries: share }));
}

/** A power of two, so that a model that grows is parted anew only when it has doubled. */
function layersFor(bytes: number): number {
  let layers = 1;
  while (layers < MAX_REST_LAYERS && bytes / layers > REST_BYTES) layers *= 2;
  return layers;
}

function isBelow({ path }: LayerEntry, directory: LayerEntry | undefined): boolean {
  if (directory === undefined) return false;
  const { length } = directory.path;
  return (
    path.length > length && path[length] === 0x2f && path.subarray(0, length).equals(directory.path)
  );
}

function hexOf(text: Buffer): string {
  return createHash("sha256").update(text).digest("hex");
}

function numberOf(path: Buffer): number {
  return createHash("sha256").update(path).digest().readUInt32BE(0);
}
