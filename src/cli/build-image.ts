import { closeSync } from "node:fs";
import { IMAGE_LABELS } from "../api/image-labels.ts";
import { parseImageRef } from "../api/image-ref.ts";
import { NO_BASE } from "../api/modelversion.ts";
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
  type ModelLayer,
} from "../oci/model-image.ts";
import type { PushedImage, Repository } from "../oci/repository.ts";
import { openBase, type OpenBase } from "./base.ts";
import { BuildFault } from "./build-fault.ts";
import { checkNotEmpty, checkOurs, checkUnchanged } from "./image-checks.ts";
import { builtImage, openTagged, type ImageTaskOptions } from "./image-task.ts";
import { findModel, type FoundModel } from "./model-entries.ts";
import { onRetry, pushBaseLayers, pushModelLayers, type PushLayersOptions } from "./push-layers.ts";
import { openImage, runTask, type TaskResult } from "./registry-task.ts";
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

/** Value of the label `engine`. */
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
      const { repository, tag } = await openTagged(options, "pull,push");
      try {
        const found = await repository.image(tag);
        if (found === undefined) await repository.checkPush();
        else checkOurs(options, found);
        const base = await openBase(options, options.baseImage);
        try {
          return await build({ options, source, model, base, repository, tag, found });
        } finally {
          await base?.repository.close();
        }
      } finally {
        await repository.close();
      }
    } finally {
      closeSync(source);
    }
  });
}

/** A model, and where its image goes. */
interface Build {
  readonly options: BuildImageOptions;
  /** Descriptor of the model's directory. */
  readonly source: number;
  readonly model: FoundModel;
  readonly base: OpenBase | undefined;
  readonly repository: Repository;
  readonly tag: string;
  /** What the tag names now: an image with this version's label, whoever pushed it. */
  readonly found: PushedImage | undefined;
}

async function build(the: Build): Promise<TaskResult> {
  const { options, source, base, repository, tag, found } = the;
  const { state, entries } = the.model;
  const previous = nearby(options.image, options.previous);
  const pushing: PushLayersOptions = { repository, from: previous, logger: options.logger };
  const before = previous === undefined ? new Map() : await layersBefore(options);
  const expected = { before, again: options.again || found !== undefined };
  const { layers, sent } = await pushModelLayers(source, planLayers(entries), expected, pushing);
  if (base !== undefined) {
    await pushBaseLayers(base, { ...pushing, from: nearby(options.image, options.baseImage) });
  }
  const parts = partsOf(the, layers);
  const config = modelConfig(parts);
  await pushJson(config, pushing);
  const manifest = modelManifest(parts, config.descriptor);
  checkUnchanged(options, state);
  const content = { model: state.count, shell: base === undefined ? false : base.shell };
  // Labels can be forged, the digest of what was read just now can not.
  if (found?.digest === manifest.descriptor.digest) {
    options.logger.info({ digest: found.digest, sent }, "an earlier attempt has pushed the image");
    return {
      exitCode: 0,
      report: {
        state: sent === 0 ? "adopted" : "built",
        image: builtImage(found, content, state.layout),
      },
    };
  }
  // It may have taken hours to come here.
  const now = await repository.image(tag);
  if (now !== undefined) checkOurs(options, now);
  await repository.pushManifest(tag, manifest, { onRetry: onRetry(options) });
  const image = await verified(options, repository, tag, manifest);
  options.logger.info({ digest: image.digest, ...state.count, sent }, "the image holds the model");
  return {
    exitCode: 0,
    report: { state: "built", image: builtImage(image, content, state.layout) },
  };
}

function partsOf({ options, model, base }: Build, layers: readonly ModelLayer[]): ModelImageParts {
  return {
    base: base?.image,
    platform: machinePlatform(),
    layers,
    labels: {
      ...options.labels,
      [IMAGE_LABELS.versionUid]: options.versionUid,
      [IMAGE_LABELS.source]: model.state.fingerprint,
      [IMAGE_LABELS.engine]: ENGINE,
    },
    created: options.labels[IMAGE_LABELS.created],
  };
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
  const ref = other === undefined || other === NO_BASE ? undefined : parseImageRef(other);
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
