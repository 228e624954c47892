import { closeSync } from "node:fs";
import { IMAGE_LABELS } from "../api/image-labels.ts";
import { parseImageRef } from "../api/image-ref.ts";
import { machinePlatform } from "../oci/base-image.ts";
import { knownSource } from "../oci/blob-source.ts";
import { apiHost } from "../oci/credentials.ts";
import { planLayers } from "../oci/layer-plan.ts";
import { parseManifest, type Descriptor } from "../oci/manifest.ts";
import {
  layersByKey,
  modelConfig,
  modelManifest,
  type JsonBlob,
  type ModelImageParts,
} from "../oci/model-image.ts";
import type { PushedImage, Repository } from "../oci/repository.ts";
import { openBase, type OpenBase } from "./base.ts";
import { BuildFault } from "./build-fault.ts";
import { checkNotEmpty, checkOurs, checkUnchanged } from "./image-checks.ts";
import { builtImage, openTagged, type ImageTaskOptions } from "./image-task.ts";
import { findModel, type FoundModel } from "./model-entries.ts";
import { onRetry, pushBaseLayers, pushModelLayers, type PushLayersOptions } from "./push-layers.ts";
import { openImage, runTask } from "./registry-task.ts";
import { openSource } from "./source-tree.ts";

/** What `modelhook build-image` is told. */
export interface BuildImageOptions extends ImageTaskOptions {
  /** Image below the model, or `scratch`. */
  readonly baseImage: string;
  /** Labels of the image. */
  readonly labels: Readonly<Record<string, string>>;
  /** Image of the model's version before this one, by its digest. */
  readonly previous?: string | undefined;
  /** An attempt before this one may have pushed a part. */
  readonly again: boolean;
}

/** Value of the label `engine`: an image that this engine pushed is whole, since its tag moves last. */
const ENGINE = "direct";

/**
 * Builds and pushes an image without a second copy of the model: layers are archived while they are sent, and the registry
 * keeps only what has the digest that was computed here. The tag moves when all is there and the model has not changed
 * meanwhile. Gives 0 with the image as termination message, also when an earlier attempt had pushed it, else 1 with the reason.
 */
export function buildImage(options: BuildImageOptions): Promise<number> {
  return runTask(options, async () => {
    const source = openSource(options.source, options.directory);
    try {
      const model = findModel(source);
      const { directory } = options;
      options.logger.info({ directory, ...model.state }, "found the model");
      checkNotEmpty(directory, model.state.count);
      const base = await openBase(options, options.baseImage);
      try {
        return await build(options, source, model, base);
      } finally {
        await base?.repository.close();
      }
    } finally {
      closeSync(source);
    }
  });
}

async function build(
  options: BuildImageOptions,
  source: number,
  { state, entries }: FoundModel,
  base: OpenBase | undefined,
): ReturnType<Parameters<typeof runTask>[1]> {
  const previous = nearby(options.image, options.previous);
  const below = nearby(options.image, options.baseImage);
  const mountFrom = [previous, below].filter((each) => each !== undefined);
  const { repository, tag } = await openTagged(options, "pull,push", mountFrom);
  try {
    const content = { model: state.count, shell: base === undefined ? false : base.shell };
    const found = await repository.image(tag);
    if (found !== undefined) checkOurs(options, found);
    if (found !== undefined && (await isWhole(repository, found, state.fingerprint))) {
      options.logger.info({ digest: found.digest }, "an earlier attempt has pushed the image");
      return {
        exitCode: 0,
        report: { state: "adopted", image: builtImage(found, content, state.layout) },
      };
    }
    await repository.checkPush();
    const pushing: PushLayersOptions = { repository, from: previous, logger: options.logger };
    const before = previous === undefined ? new Map() : await layersBefore(options);
    const expected = { before, again: options.again };
    const plans = planLayers(entries);
    const { layers, sent } = await pushModelLayers(source, plans, expected, pushing);
    if (base !== undefined) await pushBaseLayers(base, { ...pushing, from: below });
    const parts: ModelImageParts = {
      base: base?.image,
      platform: machinePlatform(),
      layers,
      labels: {
        ...options.labels,
        [IMAGE_LABELS.versionUid]: options.versionUid,
        [IMAGE_LABELS.source]: state.fingerprint,
        [IMAGE_LABELS.engine]: ENGINE,
      },
      created: options.labels[IMAGE_LABELS.created],
    };
    const config = modelConfig(parts);
    await pushJson(config, pushing);
    const manifest = modelManifest(parts, config.descriptor);
    checkUnchanged(options, state);
    await repository.pushManifest(tag, manifest, { onRetry: onRetry(options) });
    const image = await verified(options, repository, tag, manifest);
    options.logger.info(
      { digest: image.digest, ...state.count, sent },
      "the image holds the model",
    );
    return {
      exitCode: 0,
      report: { state: "built", image: builtImage(image, content, state.layout) },
    };
  } finally {
    await repository.close();
  }
}

/** An image of this engine was whole when its tag moved; what was taken away since is built again. */
async function isWhole(
  repository: Repository,
  { labels, layers }: PushedImage,
  fingerprint: string,
): Promise<boolean> {
  if (labels[IMAGE_LABELS.source] !== fingerprint || labels[IMAGE_LABELS.engine] !== ENGINE) {
    return false;
  }
  return hasAll(repository, layers);
}

async function hasAll(repository: Repository, layers: readonly Descriptor[]): Promise<boolean> {
  for (const { digest } of layers) if (!(await repository.has(digest))) return false;
  return true;
}

/** Asks for what was pushed, as whoever pulls it will. */
async function verified(
  options: BuildImageOptions,
  repository: Repository,
  tag: string,
  { descriptor }: JsonBlob,
): Promise<PushedImage> {
  const image = await repository.image(tag);
  if (image === undefined) {
    throw new BuildFault(
      "Unknown",
      `${options.image} was pushed, but the registry does not have it`,
    );
  }
  checkOurs(options, image);
  if (image.digest !== descriptor.digest) {
    const message = `${options.image} was pushed, but now it is ${image.digest} of another attempt`;
    throw new BuildFault("Unknown", message);
  }
  if (await hasAll(repository, image.layers)) return image;
  throw new BuildFault(
    "Unknown",
    `${options.image} was pushed, but the registry lacks some layers`,
  );
}

/** The repository of another image, when it is in the same registry: blobs can be taken over from it. */
function nearby(image: string, other: string | undefined): string | undefined {
  const ref = other === undefined ? undefined : parseImageRef(other);
  const isNear = apiHost(ref?.registry) === apiHost(parseImageRef(image)?.registry);
  return isNear ? ref?.repository : undefined;
}

/** The layers of the version before; none when it can not be read: they only say what is probably there. */
async function layersBefore(options: BuildImageOptions): Promise<ReadonlyMap<string, Descriptor>> {
  const { previous, logger } = options;
  const digest = previous === undefined ? undefined : parseImageRef(previous)?.digest;
  if (previous === undefined || digest === undefined) return new Map();
  const { repository } = await openImage(options, previous);
  try {
    const found = await repository.manifest(digest);
    const manifest = found && parseManifest(found.text, found.mediaType);
    return manifest === undefined ? new Map() : layersByKey(manifest);
  } catch (error) {
    logger.warn({ err: error, previous }, "can not read the version before");
    return new Map();
  } finally {
    await repository.close();
  }
}

async function pushJson({ text, descriptor }: JsonBlob, options: PushLayersOptions): Promise<void> {
  const bytes = Buffer.from(text);
  async function* read(from: number): AsyncGenerator<Uint8Array> {
    yield bytes.subarray(from);
  }
  const source = knownSource({ size: bytes.length, read }, descriptor.digest);
  await options.repository.push(source, { onRetry: onRetry(options) });
}
