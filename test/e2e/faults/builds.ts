import { FINALIZERS, LABELS } from "../../../src/api/annotations.ts";
import type { KubeObject } from "../../../src/api/kube-types.ts";
import type { ModelVersion } from "../../../src/api/modelversion.ts";
import { eventually, list, read, type TestNode } from "../node.ts";
import { taggedDigest } from "./image-reads.ts";
import { hashesOfImage } from "./models.ts";
import { imagesOf } from "./pushed-images.ts";

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
