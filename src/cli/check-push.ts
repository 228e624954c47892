import { setTimeout as sleep } from "node:timers/promises";
import type { Repository } from "../oci/repository.ts";
import { BuildFault } from "./build-fault.ts";
import { openTarget, runTask, type RegistryTaskOptions } from "./registry-task.ts";

/** What `modelhook check-push` is told. */
export interface CheckPushOptions extends RegistryTaskOptions {
  /** Milliseconds within which the registry has to answer everything. */
  readonly answerMs: number;
}

/**
 * Asks the registry whether it would take a push of an image that is not built yet, and whether its tag is free. Gives 0 when
 * both are so, else 1 with the reason as termination message: PushDenied, TagTaken or RegistryUnreachable.
 */
export function checkPush(options: CheckPushOptions): Promise<number> {
  return runTask(options, async () => {
    const { repository, tag } = await openTarget(options, "pull,push");
    try {
      await inTime(ask(repository, tag, options), options);
      options.logger.info({ image: options.image }, "the registry would take the image");
      return { exitCode: 0 };
    } finally {
      await repository.close();
    }
  });
}

async function ask(
  repository: Repository,
  tag: string | undefined,
  { image }: CheckPushOptions,
): Promise<void> {
  await repository.checkPush();
  const found = tag === undefined ? undefined : await repository.image(tag);
  if (found === undefined) return;
  // No version of the job exists yet, so whatever has the tag is not its image, and its build would stop there.
  const message = `${image} is there already (${found.digest}), and a build never replaces an image of another; name another imageTag, or none`;
  throw new BuildFault("TagTaken", message);
}

/** The transport is more patient than whoever waits to hear of it. */
async function inTime(asking: Promise<void>, { image, answerMs }: CheckPushOptions): Promise<void> {
  const answered = new AbortController();
  const late = sleep(answerMs, undefined, { signal: answered.signal }).then(() => {
    const message = `the registry of ${image} gives no answer within ${answerMs / 1000} seconds`;
    throw new BuildFault("RegistryUnreachable", message);
  });
  try {
    await Promise.race([asking, late]);
  } finally {
    answered.abort();
  }
}
