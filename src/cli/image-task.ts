import type { BuiltImage } from "../api/build-report.ts";
import type { Layout } from "../api/layout.ts";
import type { ImageContent } from "../oci/model-count.ts";
import type { PushedImage, Repository } from "../oci/repository.ts";
import { BuildFault } from "./build-fault.ts";
import { openTarget, type RegistryTaskOptions } from "./registry-task.ts";

/** What each of our containers in a build pod is told. */
export interface ImageTaskOptions extends RegistryTaskOptions {
  /** Where the root of the volume is mounted. */
  readonly source: string;
  /** Directory of the model below it; empty for the root itself. */
  readonly directory: string;
  readonly versionUid: string;
}

/** What those of our containers are told that work beside kaniko. */
export interface StagedTaskOptions extends ImageTaskOptions {
  /** Directory that the containers of the pod share for what they tell each other. */
  readonly build: string;
}

/** Name of the file in which `stage-source` leaves what it saw for `verify-image`. */
export const STATE_FILE = "source.json";

/** Opens the repository of an image that names its tag, as every build does; throws as `openTarget`. */
export async function openTagged(
  options: ImageTaskOptions,
  access: "pull" | "pull,push",
): Promise<{ readonly repository: Repository; readonly tag: string }> {
  const { repository, tag } = await openTarget(options, access);
  if (tag !== undefined) return { repository, tag };
  await repository.close();
  throw new BuildFault("InvalidObject", `${options.image} is not repository:tag`);
}

/** What the version's status records of an image that holds a model. */
export function builtImage(
  { digest, layers }: PushedImage,
  { model, shell }: ImageContent,
  layout: Layout | undefined,
): BuiltImage {
  return {
    digest,
    size: model.bytes,
    files: model.files,
    layers: layers.map((layer) => ({ digest: layer.digest, size: layer.size })),
    ...(shell === undefined ? {} : { shell }),
    ...(layout === undefined ? {} : { layout }),
  };
}
