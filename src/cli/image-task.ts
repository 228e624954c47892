import { writeFileSync } from "node:fs";
import { printReport, type BuildReport, type BuiltImage } from "../api/build-report.ts";
import { parseImageRef } from "../api/image-ref.ts";
import { apiHost, credentialsFor, readDockerConfig } from "../oci/credentials.ts";
import type { ImageContent } from "../oci/model-count.ts";
import { openRepository, type PushedImage, type Repository } from "../oci/repository.ts";
import type { Logger } from "../telemetry/logger.ts";
import { BuildFault, faultReport } from "./build-fault.ts";

/** What both of our containers in a build pod are told. */
export interface ImageTaskOptions {
  /** Where the root of the volume is mounted. */
  readonly source: string;
  /** Directory of the model below it; empty for the root itself. */
  readonly directory: string;
  /** Directory that the containers of the pod share for what they tell each other. */
  readonly build: string;
  /** `repository:tag` to push to. */
  readonly image: string;
  readonly versionUid: string;
  /** File of a kubernetes.io/dockerconfigjson Secret; it need not exist. */
  readonly credentials: string;
  /** Name of the Secret, when that file has to exist. */
  readonly credentialsSecret?: string | undefined;
  /** Registry hosts (with port) that may have unknown certificates or speak plain HTTP. */
  readonly insecureRegistries: readonly string[];
  /** File that becomes the container's termination message. */
  readonly terminationLog: string;
  readonly logger: Logger;
}

/** Name of the file in which `stage-source` leaves what it saw for `verify-image`. */
export const STATE_FILE = "source.json";

/** Runs a step; gives the process' exit code, and every failure as the container's termination message. */
export async function runTask(
  { terminationLog, logger }: ImageTaskOptions,
  step: () => Promise<{ readonly exitCode: number; readonly report?: BuildReport }>,
): Promise<number> {
  let result: { readonly exitCode: number; readonly report?: BuildReport };
  try {
    result = await step();
  } catch (error) {
    const report = faultReport(error);
    logger.error({ err: error, report }, "the build can not go on");
    result = { exitCode: 1, report };
  }
  if (result.report !== undefined) writeFileSync(terminationLog, printReport(result.report));
  return result.exitCode;
}

/** Opens the repository that the image is pushed to, with the mounted credentials. */
export async function openTarget(
  options: ImageTaskOptions,
  access: "pull" | "pull,push",
): Promise<{ readonly repository: Repository; readonly tag: string }> {
  const ref = parseImageRef(options.image);
  if (ref?.tag === undefined) {
    throw new BuildFault("InvalidObject", `${options.image} is not repository:tag`);
  }
  const config = await readDockerConfig(options.credentials);
  if (config === undefined && options.credentialsSecret !== undefined) {
    const message = `Secret ${options.credentialsSecret} (spec.builder.pushSecret) does not exist, or has no key .dockerconfigjson`;
    throw new BuildFault("PushDenied", message);
  }
  const repository = openRepository({
    registry: ref.registry,
    repository: ref.repository,
    credentials: credentialsFor(config, apiHost(ref.registry)),
    insecureHosts: options.insecureRegistries,
    access,
  });
  return { repository, tag: ref.tag };
}

/** What the version's status records of an image that holds a model. */
export function builtImage(
  { digest, layers }: PushedImage,
  { model, shell }: ImageContent,
): BuiltImage {
  return {
    digest,
    size: model.bytes,
    files: model.files,
    layers: layers.map((layer) => ({ digest: layer.digest, size: layer.size })),
    ...(shell === undefined ? {} : { shell }),
  };
}
