import type { Policy } from "../admission/policy.ts";
import type { ConfigMap, KubeObject, Node, Pod } from "../api/kube-types.ts";
import type { Model } from "../api/model.ts";
import type { ModelBinding } from "../api/modelbinding.ts";
import type { ModelVersion } from "../api/modelversion.ts";
import { SELECTORS, pickNode } from "../gather/admission-stores.ts";
import type { ApiServer } from "../kube/client.ts";
import { isNotFound } from "../kube/errors.ts";
import { listAll, type Selection } from "../kube/list.ts";
import { resources, type Resource } from "../kube/resources.ts";
import { get } from "../kube/write.ts";
import type { Attempts } from "./attempts.ts";
import { BUILT_IN_POLICY, SYSTEM_NAMESPACE } from "./built-in-limits.ts";
import { LIMITS_NAME, limitsIn, readLimits } from "./limits-file.ts";
import type { World } from "./world.ts";

/** Reads what decisions on pods of these namespaces look at, besides the limits; what may not be read is left out. */
export async function readWorld(
  api: ApiServer,
  namespaces: readonly string[],
  policy: Policy,
  attempts: Attempts,
): Promise<World> {
  const list = async <T extends KubeObject>(
    resource: Resource,
    selection: Selection = {},
  ): Promise<readonly T[]> => {
    const lists = namespaces.map(async (namespace) => {
      const what = `${resource.plural} of namespace ${namespace}`;
      return attempts.read<readonly T[]>({ resource, what }, [], async () => {
        return (await listAll<T>(api, resource, { namespace, ...selection })).items;
      });
    });
    return (await Promise.all(lists)).flat();
  };
  const [versions, models, bindings, served, labelled, nodes] = await Promise.all([
    list<ModelVersion>(resources.modelversions),
    list<Model>(resources.models),
    list<ModelBinding>(resources.modelbindings),
    list<Pod>(resources.pods, { labelSelector: SELECTORS.served, metadataOnly: true }),
    Promise.all(namespaces.map(async (name) => readNamespace(api, name, attempts))),
    attempts.read({ resource: resources.nodes, what: "nodes" }, undefined, async () => {
      return (await listAll<Node>(api, resources.nodes, { pick: pickNode })).items;
    }),
  ]);
  return { policy, versions, models, bindings, served, namespaces: labelled.flat(), nodes };
}

/** Reads the administrator's limits; the built-in ones where that can not be done. */
export async function readLiveLimits(api: ApiServer, attempts: Attempts): Promise<Policy> {
  const ref = { namespace: SYSTEM_NAMESPACE, name: LIMITS_NAME };
  const what = `the administrator's limits (ConfigMap ${ref.namespace}/${ref.name})`;
  const configMap = await attempts.read<ConfigMap>(
    { resource: resources.configmaps, what },
    {},
    async () => get<ConfigMap>(api, resources.configmaps, ref),
  );
  // The API server leaves the kind out.
  const text = limitsIn({ ...configMap, kind: "ConfigMap" });
  const read = text === undefined ? undefined : readLimits(text, what);
  return read?.ok === true ? read.policy : BUILT_IN_POLICY;
}

async function readNamespace(
  api: ApiServer,
  name: string,
  attempts: Attempts,
): Promise<readonly KubeObject[]> {
  const about = { resource: resources.namespaces, what: `namespace ${name}` };
  return attempts.read<readonly KubeObject[]>(about, [], async () => {
    try {
      return [await get<KubeObject>(api, resources.namespaces, { name })];
    } catch (error) {
      // What is applied may be there before its namespace.
      if (isNotFound(error)) return [];
      throw error;
    }
  });
}
