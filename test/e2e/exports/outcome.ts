import { FINALIZERS, LABELS } from "../../../src/api/annotations.ts";
import type { KubeObject } from "../../../src/api/kube-types.ts";
import type { ModelVersion } from "../../../src/api/modelversion.ts";
import { eventually, list, read, whenBuilt, type TestNode } from "../node.ts";

/** A job of any kind, such as `tfjob` and its name. */
export interface JobName {
  readonly namespace: string;
  readonly kind: string;
  readonly name: string;
}

/** The job as it was stored. */
export async function storedJob(
  node: TestNode,
  { namespace, kind, name }: JobName,
): Promise<KubeObject> {
  return eventually(`${kind} ${name}`, async () => read(node, namespace, kind, name));
}

/** The one version that came of a job, once it is built; throws when there are several. */
export async function exportedVersion(
  node: TestNode,
  namespace: string,
  job: KubeObject,
): Promise<ModelVersion> {
  const [version] = await eventually(
    `a version of ${job.kind} ${job.metadata?.name}`,
    async () => {
      const found = await versionsOf(node, namespace, job);
      return found.length > 0 ? found : undefined;
    },
    { seconds: 120 },
  );
  const built = await whenBuilt(node, namespace, version?.metadata.name ?? "");
  const all = await versionsOf(node, namespace, job);
  if (all.length !== 1) throw new Error(`${all.length} versions of ${job.metadata?.name}`);
  return built;
}

/** All versions that came of a job. */
export async function versionsOf(
  node: TestNode,
  namespace: string,
  { metadata }: KubeObject,
): Promise<readonly ModelVersion[]> {
  return list(node, namespace, "modelversions", `${LABELS.jobUid}=${metadata?.uid}`);
}

/** Waits until a job is gone, or nothing of ours holds it any more. */
export async function whenLetGo(node: TestNode, job: JobName): Promise<void> {
  await eventually(`the end of the finalizer of ${job.kind} ${job.name}`, async () => {
    const live = await read(node, job.namespace, job.kind, job.name);
    return live?.metadata?.finalizers?.includes(FINALIZERS.export) !== true;
  });
}
