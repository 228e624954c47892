import type { KubeObject, OwnerReference, Pod } from "../api/kube-types.ts";
import { BETWEEN } from "../jobs/kinds.ts";
import { controllerOf } from "../jobs/owner.ts";
import { workloadOf } from "../jobs/workloads.ts";
import type { ApiServer } from "../kube/client.ts";
import { resources, type ObjectRef } from "../kube/resources.ts";
import { find, get } from "../kube/write.ts";
import { startAttempts, type Attempts } from "./attempts.ts";
import { readLiveLimits, readWorld } from "./live-world.ts";
import type { PodObserved, WebhookConfiguration } from "./pod-facts.ts";

/** Name of the webhook configuration. */
const NAME = "modelhook";

/** Reads a pod and what decides on it; undefined when there is no such pod. What else may not be read is noted. */
export async function observePod(
  api: ApiServer,
  ref: ObjectRef & { readonly namespace: string },
  now: number,
): Promise<PodObserved | undefined> {
  const pod = await find<Pod>(api, resources.pods, ref);
  if (pod === undefined) return undefined;
  const attempts = startAttempts();
  const policy = await readLiveLimits(api, attempts);
  const [world, owners, configuration] = await Promise.all([
    readWorld(api, [ref.namespace], policy, attempts),
    readOwners(api, pod, attempts),
    readConfiguration(api, attempts),
  ]);
  return { now, pod, world, owners, configuration, unread: attempts.unread() };
}

/** Controllers that are read above a pod: a Deployment is the second, a TrainJob the third. */
const MAX_OWNERS = 4;

/** The pod's controller, the controller of that, and so on. */
async function readOwners(
  api: ApiServer,
  pod: Pod,
  attempts: Attempts,
): Promise<readonly KubeObject[]> {
  const { namespace } = pod.metadata ?? {};
  const owners: KubeObject[] = [];
  for (
    let object: KubeObject | undefined = pod;
    object !== undefined && owners.length < MAX_OWNERS;
  ) {
    const reference = controllerOf(object);
    object = reference && (await readOwner(api, namespace, reference, attempts));
    if (object !== undefined) owners.push(object);
  }
  return owners;
}

async function readOwner(
  api: ApiServer,
  namespace: string | undefined,
  { apiVersion, kind, name }: OwnerReference,
  attempts: Attempts,
): Promise<KubeObject | undefined> {
  const workload = workloadOf({ apiVersion, kind }, BETWEEN);
  // Of other kinds it is not known how the API calls them, nor where they have templates.
  if (workload === undefined) return undefined;
  const resource = { ...workload, namespaced: true };
  return attempts.read<KubeObject | undefined>(
    { resource, what: `${kind} ${name}` },
    undefined,
    async () => {
      const object = await get<KubeObject>(api, resource, { namespace, name });
      return { ...object, apiVersion, kind };
    },
  );
}

async function readConfiguration(
  api: ApiServer,
  attempts: Attempts,
): Promise<WebhookConfiguration | "absent" | undefined> {
  const resource = resources.mutatingwebhookconfigurations;
  return attempts.read<WebhookConfiguration | "absent" | undefined>(
    { resource, what: "the webhook configuration" },
    undefined,
    async () => {
      const found = await find<WebhookConfiguration>(api, resource, { name: NAME });
      return found ?? "absent";
    },
  );
}
