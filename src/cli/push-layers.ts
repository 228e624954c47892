import { digestOf, hashedSource, knownSource, type BlobContent } from "../oci/blob-source.ts";
import { layerContent } from "../oci/layer-content.ts";
import type { LayerPlan } from "../oci/layer-plan.ts";
import type { Descriptor } from "../oci/manifest.ts";
import type { ModelLayer } from "../oci/model-image.ts";
import type { PushOptions, Repository } from "../oci/repository.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { OpenBase } from "./base.ts";
import { changed, modelFiles } from "./model-entries.ts";

/** Layers that are on their way at once: enough to keep a registry busy while others are hashed or committed. */
const PARALLEL = 4;

/** What is small is hashed before it is sent: it may be there already, whoever put it there. */
const SMALL_BYTES = 32 * 1024 * 1024;

/** What layers are pushed with. */
export interface PushLayersOptions {
  readonly repository: Repository;
  /** Repository of the earlier image, or of the base, as far as they are in the same registry. */
  readonly from: string | undefined;
  readonly logger: Logger;
}

/** The layers of a version before this one, by their keys, and whether an attempt before this one may have pushed some. */
export interface Expected {
  readonly before: ReadonlyMap<string, Descriptor>;
  readonly again: boolean;
}

/** Pushes the layers of an open model, some at a time, in constant memory; gives them in their order, and the bytes that were sent. */
export async function pushModelLayers(
  descriptor: number,
  plans: readonly LayerPlan[],
  { before, again }: Expected,
  options: PushLayersOptions,
): Promise<{ readonly layers: readonly ModelLayer[]; readonly sent: number }> {
  const open = modelFiles(descriptor);
  const pushed = await inParallel(plans, async ({ key, entries }) => {
    const content = layerContent(entries, open, changed);
    const source = hashedSource(content);
    // A layer that is probably there is read for its digest first; any other is hashed while it is sent, and read once.
    const isExpected =
      again || content.size <= SMALL_BYTES || before.get(key)?.size === content.size;
    if (isExpected) await digestOf(source);
    const { digest, size, sent } = await options.repository.push(source, pushOptions(options));
    options.logger.info({ digest, size, sent }, "pushed a layer");
    return { key, digest, size, sent };
  });
  return {
    layers: pushed.map(({ key, digest, size }) => ({ key, digest, size })),
    sent: pushed.reduce((sum, { sent }) => sum + sent, 0),
  };
}

/** Pushes the layers of the base, from wherever it is. */
export async function pushBaseLayers(base: OpenBase, options: PushLayersOptions): Promise<void> {
  await inParallel(base.image.layers, async (layer) => {
    const source = knownSource(blobContent(base.repository, layer), layer.digest);
    await options.repository.push(source, pushOptions(options));
  });
}

/** Tells of a push that is tried again. */
export function onRetry({ logger }: Pick<PushLayersOptions, "logger">): PushOptions["onRetry"] {
  return (error, pauseMs) => logger.warn({ err: error, pauseMs }, "a push broke off");
}

function pushOptions(options: PushLayersOptions): PushOptions {
  return { from: options.from, onRetry: onRetry(options) };
}

function blobContent(repository: Repository, descriptor: Descriptor): BlobContent {
  return {
    size: descriptor.size,
    async *read(from) {
      let at = 0;
      for await (const piece of repository.blob(descriptor)) {
        const rest = piece.subarray(Math.max(0, from - at));
        at += piece.length;
        if (rest.length > 0) yield rest;
      }
    },
  };
}

/** Does that for each, a few at a time, and begins no other when one has failed; gives the results in their order. */
async function inParallel<T, R>(all: readonly T[], step: (each: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const left = all.entries();
  let isOver = false;
  async function work(): Promise<void> {
    for (const [index, each] of left) {
      if (isOver) return;
      try {
        results[index] = await step(each);
      } catch (error) {
        isOver = true;
        throw error;
      }
    }
  }
  await Promise.all(Array.from({ length: PARALLEL }, work));
  return results;
}
