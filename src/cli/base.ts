import type { BaseImage } from "../oci/base-image.ts";
import { countText, readContent } from "../oci/model-count.ts";
import type { Repository } from "../oci/repository.ts";
import { readBase } from "./base-image.ts";
import { BuildFault } from "./build-fault.ts";
import { openImage, type RegistryTaskOptions } from "./registry-task.ts";

/** Most layers of a base: with those of a model no image has more than 100. */
const MAX_LAYERS = 20;

/** An image below a model that is put together here, with what its layers hold. */
export interface OpenBase {
  readonly image: BaseImage;
  /** Where its layers are read from. */
  readonly repository: Repository;
  /** Whether it has a `/bin/sh`; undefined when that can not be said. */
  readonly shell: boolean | undefined;
}

/** Opens the base image; undefined for `scratch`. Throws as `readBase`, and BuildFault InvalidObject for one that fits below no model. */
export async function openBase(
  options: RegistryTaskOptions,
  baseImage: string,
): Promise<OpenBase | undefined> {
  const image = await readBase(options, baseImage);
  if (image === undefined) return undefined;
  if (image.layers.length > MAX_LAYERS) {
    const message = `base image ${baseImage} has ${image.layers.length} layers; it may have at most ${MAX_LAYERS}`;
    throw new BuildFault("InvalidObject", message);
  }
  const { repository } = await openImage(options, baseImage);
  try {
    const { model, shell } = await readContent(repository, image.layers);
    if (model.files + model.links + model.directories === 0) return { image, repository, shell };
    const message = `base image ${baseImage} brings a /kubedl-model of its own (${countText(model)}); name one without`;
    throw new BuildFault("InvalidObject", message);
  } catch (error) {
    await repository.close();
    throw error;
  }
}
