import { readFileSync } from "node:fs";
import { join } from "node:path";
import { IMAGE_LABELS } from "../api/image-labels.ts";
import { countText, isSameCount, readContent } from "../oci/model-count.ts";
import { BuildFault } from "./build-fault.ts";
import { checkUnchanged } from "./image-checks.ts";
import { builtImage, openTagged, STATE_FILE, type StagedTaskOptions } from "./image-task.ts";
import { runTask } from "./registry-task.ts";
import type { SourceState } from "./source-state.ts";

/**
 * Compares what was pushed with what was there to be pushed: the tag names an image of this attempt, it holds as many files
 * and bytes as the model, and the model did not change meanwhile. Gives 0 with the image as termination message, else 1 with
 * the reason.
 */
export function verifyImage(options: StagedTaskOptions): Promise<number> {
  return runTask(options, async () => {
    const before = JSON.parse(readFileSync(join(options.build, STATE_FILE), "utf8")) as SourceState;
    checkUnchanged(options, before);
    const { repository, tag } = await openTagged(options, "pull");
    try {
      const image = await repository.image(tag);
      if (image === undefined) {
        throw new BuildFault(
          "Unknown",
          `${options.image} was pushed, but the registry does not have it`,
        );
      }
      if (image.labels[IMAGE_LABELS.versionUid] !== options.versionUid) {
        const message = `${options.image} was pushed, but now it is ${image.digest} of somebody else`;
        throw new BuildFault("TagTaken", message);
      }
      if (image.labels[IMAGE_LABELS.source] !== before.fingerprint) {
        const message = `${options.image} was pushed, but now it is ${image.digest} of another attempt`;
        throw new BuildFault("Unknown", message);
      }
      const content = await readContent(repository, image.layers);
      const { model, shell } = content;
      if (!isSameCount(model, before.count)) {
        const message = `${options.image} holds ${countText(model)} in /kubedl-model where the model has ${countText(before.count)}; does the base image bring a /kubedl-model?`;
        throw new BuildFault("Unknown", message);
      }
      options.logger.info({ digest: image.digest, ...model, shell }, "the image holds the model");
      return {
        exitCode: 0,
        report: { state: "built", image: builtImage(image, content, before.layout) },
      };
    } finally {
      await repository.close();
    }
  });
}
