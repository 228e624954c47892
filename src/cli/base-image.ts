import { repositoryOf } from "../api/image-ref.ts";
import { NO_BASE } from "../api/modelversion.ts";
import {
  machinePlatform,
  onBuildTriggers,
  readBaseImage,
  type BaseImage,
} from "../oci/base-image.ts";
import { RegistryError } from "../oci/registry-error.ts";
import { BuildFault } from "./build-fault.ts";
import { openImage, type RegistryTaskOptions } from "./registry-task.ts";

/**
 * Reads the base image for this machine with the mounted credentials; undefined for `scratch`. Throws BuildFault
 * ImagePullFailed when its registry does not give it, RegistryError when that does not answer.
 */
export async function readBase(
  options: RegistryTaskOptions,
  baseImage: string,
): Promise<BaseImage | undefined> {
  if (baseImage === NO_BASE) return undefined;
  const { repository, ref } = await openImage(options, baseImage);
  try {
    const reference = ref.digest ?? ref.tag ?? "latest";
    const base = await readBaseImage(repository, reference, machinePlatform());
    if (base !== undefined) return base;
  } catch (error) {
    if (!(error instanceof RegistryError) || error.fault === "unreachable") throw error;
    const message = `base image ${baseImage} can not be pulled: ${error.message}`;
    throw new BuildFault("ImagePullFailed", message, { cause: error });
  } finally {
    await repository.close();
  }
  throw new BuildFault("ImagePullFailed", `base image ${baseImage} does not exist in its registry`);
}

/**
 * The base image as kaniko is to take it: by digest, so that it is the one that was looked at. Throws as `readBase`, and
 * BaseImageTriggers for one with commands of its own, which kaniko would run as root beside the push credentials.
 */
export async function checkedBase(
  options: RegistryTaskOptions,
  baseImage: string,
): Promise<string> {
  const base = await readBase(options, baseImage);
  if (base === undefined) return baseImage;
  options.logger.info({ baseImage, digest: base.digest }, "found the base image");
  const [trigger] = onBuildTriggers(base);
  if (trigger === undefined) return `${repositoryOf(baseImage)}@${base.digest}`;
  const message = `base image ${baseImage} (${base.digest}) has triggers (ONBUILD), the first of them ${JSON.stringify(trigger)}; a base image must have none`;
  throw new BuildFault("BaseImageTriggers", message);
}
