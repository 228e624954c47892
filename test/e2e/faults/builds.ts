import { existsSync, readdirSync, statSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { inject } from "vitest";
import { placeOf } from "../../../deploy/local/place.ts";
import { FINALIZERS, LABELS } from "../../../src/api/annotations.ts";
import type { KubeObject } from "../../../src/api/kube-types.ts";
import type { ModelVersion } from "../../../src/api/modelversion.ts";
import { eventually, list, read, type TestNode } from "../node.ts";
import { hashesOfImage } from "./models.ts";
import { findProcesses, signalAll } from "./processes.ts";

/** Bytes of a model whose push takes long enough to be caught. */
export const CATCHABLE_BYTES = 40_000_000;

const MANIFEST_TYPES =
  "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json";

/** A push that stands still in the middle. */
export interface HeldPush {
  readonly resume: () => void;
  readonly kill: () => void;
}

/** Stops kaniko while it sends the layer of a version, at a moment when the registry has a part of it. */
export async function holdPush(node: TestNode, namespace: string, name: string): Promise<HeldPush> {
  const image = await eventually(`the image of ${name}`, async () => {
    const version = await read<ModelVersion>(node, namespace, "modelversion", name);
    return version?.status?.image;
  });
  const [, repository = ""] = image.replace(/:[^:/]*$/, "").split(/\/(.*)/s);
  const before = new Set(partialUploads(repository));
  const inTime = { seconds: 120, everyMs: 5 };
  const kaniko = await eventually(
    `kaniko for ${image}`,
    async () => {
      const found = await findProcesses(`--destination=${image}`);
      return found.length > 0 ? found : undefined;
    },
    inTime,
  );
  await eventually(
    `the push of ${image}`,
    async () => partialUploads(repository).some((upload) => !before.has(upload)),
    inTime,
  );
  signalAll(kaniko, "SIGSTOP");
  if ((await taggedDigest(image)) !== null)
    throw new Error(`${image} was pushed before kaniko could be stopped`);
  return {
    resume: () => signalAll(kaniko, "SIGCONT"),
    kill: () => signalAll(kaniko, "SIGKILL"),
  };
}

/** What came of a build, as status, registry and cluster show it. */
export interface BuildResult {
  readonly phase: string | undefined;
  readonly digest: string | undefined;
  /** The digest that the tag names. */
  readonly tagged: string | null;
  /** Digests of all images of the version that its repository holds, tagged or not. */
  readonly images: readonly string[];
  readonly hashes: string;
}

/** What came of a build that has ended, once nothing is left of what was made for it. */
export async function resultOf(node: TestNode, built: ModelVersion): Promise<BuildResult> {
  const { namespace = "", name = "" } = built.metadata;
  await whenNothingIsLeft(node, built);
  const version = await read<ModelVersion>(node, namespace, "modelversion", name);
  const { imageBuildPhase, digest, image = "" } = version?.status ?? {};
  return {
    phase: imageBuildPhase,
    digest,
    tagged: await taggedDigest(image),
    images: await imagesOf(built),
    hashes: await hashesOfImage(node, `${built.spec.imageRepo}@${digest}`),
  };
}

/** The result of a build that recorded what it pushed, pushed it once, and holds a model. */
export function builtOnce({ status }: ModelVersion, hashes: string): BuildResult {
  const digest = status?.digest ?? "none was recorded";
  return { phase: "ImageBuildSucceeded", digest, tagged: digest, images: [digest], hashes };
}

/** Waits until nothing is there that was made to build a version, its finalizer included. */
export async function whenNothingIsLeft(node: TestNode, version: ModelVersion): Promise<void> {
  const { namespace = "", name = "", uid = "" } = version.metadata;
  await eventually(`the end of what was made to build ${name}`, async () => {
    const live = await read<ModelVersion>(node, namespace, "modelversion", name);
    if (live?.metadata.finalizers?.includes(FINALIZERS.volume) === true) return false;
    return (await tracesOf(node, namespace, `${LABELS.versionUid}=${uid}`)).length === 0;
  });
}

/** Jobs, pods, claims and volumes with a label, as `Kind/name`. */
export async function tracesOf(
  node: TestNode,
  namespace: string,
  selector: string,
): Promise<readonly string[]> {
  const kinds = "jobs,pods,persistentvolumeclaims,persistentvolumes";
  const found = await list<KubeObject>(node, namespace, kinds, selector);
  return found.map(({ kind, metadata }) => `${kind}/${metadata?.name}`);
}

/** The digest that the registry gives for `host/repository:tag`. */
async function taggedDigest(image: string): Promise<string | null> {
  const response = await fetch(manifestUrl(image), {
    method: "HEAD",
    headers: { accept: MANIFEST_TYPES },
  });
  return response.headers.get("docker-content-digest");
}

/** Digests of all images that a repository holds of a version, those that no tag names included. */
async function imagesOf({ spec, metadata }: ModelVersion): Promise<readonly string[]> {
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

/** Uploads of which the registry has some bytes. Synchronous, so that a moment of a push is not missed while others work. */
function partialUploads(repository: string): readonly string[] {
  const directory = join(repositoryDirectory(repository), "_uploads");
  if (!existsSync(directory)) return [];
  return readdirSync(directory).filter((upload) => {
    const data = statSync(join(directory, upload, "data"), { throwIfNoEntry: false });
    return data !== undefined && data.size > 0;
  });
}

function repositoryDirectory(repository: string): string {
  const { name, network } = inject("cluster");
  return join(placeOf(name, network).registryData, "docker/registry/v2/repositories", repository);
}
