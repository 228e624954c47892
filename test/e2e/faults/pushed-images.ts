import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { inject } from "vitest";
import { placeOf } from "../../../deploy/local/place.ts";
import { LABELS } from "../../../src/api/annotations.ts";
import type { ModelVersion } from "../../../src/api/modelversion.ts";

const MANIFEST_TYPES =
  "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json";

/** The digest that the registry gives for `host/repository:tag`. */
export async function taggedDigest(image: string): Promise<string | null> {
  const response = await fetch(manifestUrl(image), {
    method: "HEAD",
    headers: { accept: MANIFEST_TYPES },
  });
  return response.headers.get("docker-content-digest");
}

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

async function labelsOf(image: string): Promise<Readonly<Record<string, string>>> {
  const url = manifestUrl(image);
  const manifest = await getJson<{ config: { digest: string } }>(url);
  const blob = url.replace(/\/manifests\/.*$/, `/blobs/${manifest.config.digest}`);
  return (await getJson<{ config: { Labels?: Record<string, string> } }>(blob)).config.Labels ?? {};
}

async function getJson<T>(url: string): Promise<T> {
  const response = await fetch(url, { headers: { accept: MANIFEST_TYPES } });
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`);
  return (await response.json()) as T;
}

/** Takes `host/repository:reference`, where the reference may be a digest. */
function manifestUrl(image: string): string {
  const [, host = "", repository = "", reference = ""] =
    /^([^/]+)\/([^:]+):(.+)$/.exec(image) ?? [];
  return `http://${host}/v2/${repository}/manifests/${reference}`;
}

/** Where the registry keeps a repository on this machine. */
export function repositoryDirectory(repository: string): string {
  const { name, network } = inject("cluster");
  return join(placeOf(name, network).registryData, "docker/registry/v2/repositories", repository);
}
