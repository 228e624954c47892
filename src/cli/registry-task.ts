import { writeFileSync } from "node:fs";
import { printReport, type BuildReport } from "../api/build-report.ts";
import { parseImageRef, type ImageRef } from "../api/image-ref.ts";
import {
  apiHost,
  credentialsFor,
  readDockerConfig,
  type DockerConfig,
} from "../oci/credentials.ts";
import { openRepository, type Repository, type RepositoryOptions } from "../oci/repository.ts";
import type { Logger } from "../telemetry/logger.ts";
import { BuildFault, faultReport } from "./build-fault.ts";

/** What each of our containers that asks a registry is told. */
export interface RegistryTaskOptions {
  /** `repository:tag` to push to; what only asks needs no tag. */
  readonly image: string;
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

/** How a step ended: the process' exit code, and what it has to say. */
export interface TaskResult {
  readonly exitCode: number;
  readonly report?: BuildReport;
}

/** Runs a step; gives the process' exit code, and every failure as the container's termination message. */
export async function runTask(
  { terminationLog, logger }: RegistryTaskOptions,
  step: () => Promise<TaskResult>,
): Promise<number> {
  let result: TaskResult;
  try {
    result = await step();
  } catch (error) {
    const report = faultReport(error);
    logger.error({ err: error, report }, "can not go on");
    result = { exitCode: 1, report };
  }
  if (result.report !== undefined) writeFileSync(terminationLog, printReport(result.report));
  return result.exitCode;
}

/** An open repository, and the reference that named it. */
interface OpenImage {
  readonly repository: Repository;
  readonly ref: ImageRef;
}

/** Opens the repository that the image is pushed to, with the mounted credentials; throws BuildFault or RegistryError. */
export async function openTarget(
  options: RegistryTaskOptions,
  access: "pull" | "pull,push",
): Promise<{ readonly repository: Repository; readonly tag: string | undefined }> {
  const config = await readDockerConfig(options.credentials);
  if (config === undefined && options.credentialsSecret !== undefined) {
    const message = `Secret ${options.credentialsSecret} (builder.pushSecret) does not exist, or has no key .dockerconfigjson`;
    throw new BuildFault("PushDenied", message);
  }
  const { repository, ref } = open(options, options.image, config, access);
  return { repository, tag: ref.tag };
}

/** Opens the repository of another image, to read it with what credentials are mounted; throws BuildFault or RegistryError. */
export async function openImage(options: RegistryTaskOptions, image: string): Promise<OpenImage> {
  return open(options, image, await readDockerConfig(options.credentials), "pull");
}

function open(
  options: RegistryTaskOptions,
  image: string,
  config: DockerConfig | undefined,
  access: RepositoryOptions["access"],
): OpenImage {
  const ref = parseImageRef(image);
  if (ref === undefined) {
    throw new BuildFault("InvalidObject", `${image} is not an image reference`);
  }
  const repository = openRepository({
    registry: ref.registry,
    repository: ref.repository,
    credentials: credentialsFor(config, apiHost(ref.registry)),
    insecureHosts: options.insecureRegistries,
    access,
  });
  return { repository, ref };
}
