import { LABELS } from "../../../src/api/annotations.ts";
import { repositoryOf } from "../../../src/api/image-ref.ts";
import { labelsOf, taggedDigest } from "../../e2e/faults/image-reads.ts";
import { hashesOfImage } from "../../e2e/faults/models.ts";
import type { SeenVersion } from "./history.ts";
import type { FoundImage } from "./verdict.ts";
import type { BuildWorld } from "./world.ts";

/** Reads from the registry what the versions that are there and built have recorded. */
export async function readImages(
  world: BuildWorld,
  versions: readonly SeenVersion[],
): Promise<readonly FoundImage[]> {
  const found: FoundImage[] = [];
  // One after the other: each is unpacked on this machine's disk.
  for (const { uid, image, digests, built, gone } of versions) {
    const digest = digests.at(-1);
    if (!built || gone || digest === undefined) continue;
    world.signal.throwIfAborted();
    found.push(await readImage(world, uid, image, digest));
  }
  return found;
}

async function readImage(
  { cluster }: BuildWorld,
  uid: string,
  image: string,
  digest: string,
): Promise<FoundImage> {
  const repository = repositoryOf(image);
  try {
    const labels = await labelsOf(`${repository}:${digest}`);
    return {
      uid,
      tagged: await taggedDigest(image),
      labelled: labels[LABELS.versionUid],
      hashes: await hashesOfImage({ cluster }, `${repository}@${digest}`),
    };
  } catch (error) {
    return { uid, unreadable: (error as Error).message.trim() };
  }
}
