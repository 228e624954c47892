import { closeSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { BuiltImage } from "../api/build-report.ts";
import { IMAGE_LABELS } from "../api/image-labels.ts";
import { isSameCount, readContent } from "../oci/model-count.ts";
import { checkedBase } from "./base-image.ts";
import { writeDockerfile } from "./dockerfile.ts";
import { checkNotEmpty, checkOurs } from "./image-checks.ts";
import { builtImage, openTagged, STATE_FILE, type StagedTaskOptions } from "./image-task.ts";
import { runTask } from "./registry-task.ts";
import { readState, type SourceState } from "./source-state.ts";
import { openSource } from "./source-tree.ts";
import { stage } from "./staging.ts";

/** What `modelhook stage-source` is told. */
export interface StageSourceOptions extends StagedTaskOptions {
  /** Empty directory for what kaniko can not take from the volume as it is. */
  readonly staged: string;
  readonly baseImage: string;
}

/**
 * Prepares a build in its pod: looks at the model, asks the registry whether it would take the push and whether an earlier
 * attempt has pushed already, looks at the base image, and stages. Gives 0 when kaniko is to run. Anything else ends the pod,
 * with the answer in the termination message: why not, or the image of the earlier attempt.
 */
export function stageSource(options: StageSourceOptions): Promise<number> {
  return runTask(options, async () => {
    const source = openSource(options.source, options.directory);
    try {
      const state = readState(source);
      options.logger.info({ directory: options.directory, ...state }, "found the model");
      checkNotEmpty(options.directory, state.count);
      const image = await askRegistry(options, state);
      if (image !== undefined) return { exitCode: 1, report: { state: "adopted", image } };
      const base = await checkedBase(options, options.baseImage);
      stage(source, options.staged);
      writeDockerfile(options.build, base, state.fingerprint);
      writeFileSync(join(options.build, STATE_FILE), JSON.stringify(state));
      return { exitCode: 0 };
    } finally {
      closeSync(source);
    }
  });
}

/** The image that an earlier attempt pushed, if it is whole; throws when the registry or the tag is not to be had. */
async function askRegistry(
  options: StageSourceOptions,
  state: SourceState,
): Promise<BuiltImage | undefined> {
  const { repository, tag } = await openTagged(options, "pull,push");
  try {
    const image = await repository.image(tag);
    if (image !== undefined) checkOurs(options, image);
    // Ours, but of another state of the directory, or torn: it is built again, over the same tag.
    if (image?.labels[IMAGE_LABELS.source] === state.fingerprint) {
      const content = await readContent(repository, image.layers);
      if (isSameCount(content.model, state.count)) {
        options.logger.info({ digest: image.digest }, "an earlier attempt has pushed the image");
        return builtImage(image, content, state.layout);
      }
    }
    await repository.checkPush();
    return undefined;
  } finally {
    await repository.close();
  }
}
