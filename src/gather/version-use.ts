import type { VersionUse } from "../admission/snapshot.ts";
import { LABELS } from "../api/annotations.ts";
import type { KubeObject, Pod } from "../api/kube-types.ts";
import type { Model } from "../api/model.ts";
import type { ModelBinding } from "../api/modelbinding.ts";
import type { ApiServer } from "../kube/client.ts";
import { listAll } from "../kube/list.ts";
import { resources } from "../kube/resources.ts";
import { find, get } from "../kube/write.ts";
import { outlived, type RetentionObserved, type Workload } from "../reconcile/retention.ts";
import type { Sources } from "./exporting.ts";

/** Time that the reads before a deletion may take together; it goes through when they take longer. */
const USE_READ_MS = 1000;

/** What may make pods from a template that names a version. */
const WORKLOADS = [
  resources.deployments,
  resources.statefulsets,
  resources.daemonsets,
  resources.replicasets,
  resources.jobs,
  resources.cronjobs,
] as const;

/** Who uses versions of a namespace; undefined when that can not be read in time, for whatever reason. */
export async function readVersionUse(
  { api, signal }: { readonly api: ApiServer; readonly signal: AbortSignal },
  namespace: string,
): Promise<VersionUse | undefined> {
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(USE_READ_MS)]);
  try {
    const [live, pods] = await Promise.all([
      get<KubeObject>(api, resources.namespaces, { name: namespace }, { signal: deadline }),
      listServed(api, namespace, deadline),
    ]);
    return { namespaceEnds: live.metadata?.deletionTimestamp !== undefined, pods };
  } catch {
    return undefined;
  }
}

/** What the retention of a Model depends on. Rejects when a part of it can not be read: half a view would delete too much. */
export async function observeRetention(
  { api, stores }: Pick<Sources, "api" | "stores">,
  cached: Model,
  signal: AbortSignal,
): Promise<RetentionObserved> {
  const { namespace = "", name = "", uid } = cached.metadata;
  const versions = stores.versions.by("model", `${namespace}/${name}`);
  if (outlived(cached, versions).length === 0) return { model: cached, versions };
  // An alias that was set a moment ago is not in the cache yet.
  const model = await find<Model>(api, resources.models, { namespace, name }, { signal });
  if (model === undefined || model.metadata.uid !== uid) return { model: cached, versions };
  const [pods, bindings, ...workloads] = await Promise.all([
    listServed(api, namespace, signal),
    listAll<ModelBinding>(api, resources.modelbindings, { namespace, signal }),
    ...WORKLOADS.map(async (resource) => listAll<Workload>(api, resource, { namespace, signal })),
  ]);
  const use = {
    pods,
    workloads: workloads.flatMap(({ items }) => items),
    bindings: bindings.items,
  };
  return { model, versions, use };
}

/** Pods of the namespace that the webhook gave a model and that have not ended. */
async function listServed(
  api: ApiServer,
  namespace: string,
  signal: AbortSignal,
): Promise<readonly Pod[]> {
  const { items } = await listAll<Pod>(api, resources.pods, {
    namespace,
    labelSelector: `${LABELS.served}=true`,
    fieldSelector: "status.phase!=Succeeded,status.phase!=Failed",
    signal,
  });
  return items;
}
