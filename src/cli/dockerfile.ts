import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { IMAGE_LABELS } from "../api/image-labels.ts";

/**
 * Writes what kaniko is told to do. The Dockerfile is made here and not by the controller because it records which state of
 * the directory it builds from. Its empty `.dockerignore` keeps kaniko from obeying one in the model.
 */
export function writeDockerfile(directory: string, baseImage: string, fingerprint: string): void {
  writeFileSync(
    join(directory, "Dockerfile"),
    [
      `FROM ${baseImage}`,
      `LABEL ${IMAGE_LABELS.source}=${fingerprint}`,
      // Without --chown kaniko keeps the owners of the source.
      "COPY --chown=0:0 source/ /kubedl-model/",
      "COPY --chown=0:0 staged/ /kubedl-model/",
      "",
    ].join("\n"),
  );
  writeFileSync(join(directory, "Dockerfile.dockerignore"), "");
}
