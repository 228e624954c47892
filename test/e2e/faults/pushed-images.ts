import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { inject } from "vitest";
import { placeOf } from "../../../deploy/local/place.ts";
import { LABELS } from "../../../src/api/annotations.ts";
import type { ModelVersion } from "../../../src/api/modelversion.ts";
import { labelsOf } from "./image-reads.ts";

/** Digests of all images that a repository holds of a version, those that no tag names included. */
export async function imagesOf({ spec, metadata }: ModelVersion): Promise<readonly string[]> {
  const [, repository = ""] = spec.imageRepo.split(/\/(.*)/s);
  const revisions = await readdir(
    join(repositoryDirectory(repository), "_manifests/revisions/sha256"),
  );
  const own = await Promise.all(
    revisions.map(async (hex) => {
      const digest = `sha256:${hex}`;
      const labels = await labelsOf(`${spec.imageRepo}:${digest}`);
      return labels[LABELS.versionUid] === metadata.uid ? [digest] : [];
    }),
  );
  return own.flat();
}

/** Where the registry keeps a repository on this machine. */
export function repositoryDirectory(repository: string): string {
  const { name, network } = inject("cluster");
  return join(placeOf(name, network).registryData, "docker/registry/v2/repositories", repository);
}
