import type { KubeObject, OwnerReference } from "../api/kube-types.ts";
import type { JobKind } from "../jobs/job-kind.ts";
import { BETWEEN, jobKind } from "../jobs/kinds.ts";
import { controllerOf } from "../jobs/owner.ts";
import type { ApiServer } from "../kube/client.ts";
import { find } from "../kube/write.ts";

/** Steps from a pod to its job; a TrainJob is three above: Job, JobSet, TrainJob. */
const MAX_STEPS = 5;

/**
 * What stands above an object, the nearest first, as far as its kinds are known and it still exists: one direct read each. Rejects
 * when the API server does not answer, since whoever stands at the top decides.
 */
export async function readOwners(
  api: ApiServer,
  namespace: string,
  owner: OwnerReference,
  kinds: readonly JobKind[],
  signal: AbortSignal,
): Promise<readonly KubeObject[]> {
  const owners: KubeObject[] = [];
  let next: OwnerReference | undefined = owner;
  while (next !== undefined && owners.length < MAX_STEPS) {
    const object: KubeObject | undefined = await readOwner(api, namespace, next, kinds, signal);
    if (object === undefined) break;
    owners.push(object);
    next = controllerOf(object);
  }
  return owners;
}

/** The object that a reference means; undefined when it is gone, was made anew, or is of no known kind. */
async function readOwner(
  api: ApiServer,
  namespace: string,
  { apiVersion, kind, name, uid }: OwnerReference,
  kinds: readonly JobKind[],
  signal: AbortSignal,
): Promise<KubeObject | undefined> {
  const row = jobKind([...kinds, ...BETWEEN], { apiVersion, kind });
  if (row === undefined) return undefined;
  const resource = { ...row, namespaced: true };
  const object = await find<KubeObject>(api, resource, { namespace, name }, { signal });
  return object?.metadata?.uid === uid ? { ...object, apiVersion, kind } : undefined;
}
