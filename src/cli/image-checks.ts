import { closeSync } from "node:fs";
import { IMAGE_LABELS } from "../api/image-labels.ts";
import { countText, type ModelCount } from "../oci/model-count.ts";
import type { PushedImage } from "../oci/repository.ts";
import { BuildFault } from "./build-fault.ts";
import type { ImageTaskOptions } from "./image-task.ts";
import { readState, type SourceState } from "./source-state.ts";
import { openSource } from "./source-tree.ts";

/** Throws BuildFault EmptyModel for a directory without a file. */
export function checkNotEmpty(directory: string, count: ModelCount): void {
  if (count.files > 0) return;
  const where = directory === "" ? "the volume" : `directory ${JSON.stringify(directory)}`;
  throw new BuildFault("EmptyModel", `${where} holds no file (${countText(count)})`);
}

/** Throws BuildFault TagTaken for an image of another version, or of nobody that we know. */
export function checkOurs({ image, versionUid }: ImageTaskOptions, found: PushedImage): void {
  if (found.labels[IMAGE_LABELS.versionUid] === versionUid) return;
  const message = `${image} is ${found.digest}, which is not an image of this version`;
  throw new BuildFault("TagTaken", message);
}

/** Throws BuildFault SourceChanged when anything was written to the model since. */
export function checkUnchanged(
  { source, directory }: ImageTaskOptions,
  before: Pick<SourceState, "fingerprint">,
): void {
  const descriptor = openSource(source, directory);
  try {
    if (readState(descriptor).fingerprint === before.fingerprint) return;
  } finally {
    closeSync(descriptor);
  }
  throw new BuildFault("SourceChanged", "the model changed while it was built");
}
