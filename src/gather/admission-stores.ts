import { ANNOTATIONS, LABELS } from "../api/annotations.ts";
import type { KubeObject, Node, Pod } from "../api/kube-types.ts";
import type { Model } from "../api/model.ts";
import type { ModelBinding } from "../api/modelbinding.ts";
import { REVISION, controllerOf, templateKey } from "../jobs/owner.ts";
import { createStore, type WritableStore } from "../kube/store.ts";
import { createVersionStore, type VersionStore } from "./version-store.ts";

/** What every replica keeps, so that admission answers without asking anybody. */
export interface AdmissionStores {
  readonly versions: VersionStore;
  /** Models, and the versions that their aliases name. */
  readonly models: WritableStore<Model, "alias" | "namespace">;
  readonly bindings: WritableStore<ModelBinding, "namespace">;
  /** Namespaces in which bindings are in effect. */
  readonly namespaces: WritableStore<KubeObject>;
  /** Nodes, as far as it matters what they can run. */
  readonly nodes: WritableStore<Node>;
  /** Metadata of the pods that have a model from us. */
  readonly served: WritableStore<Pod, "template">;
}

/** Label selectors of what is watched in part. */
export const SELECTORS = {
  namespaces: `${LABELS.injection}=enabled`,
  served: `${LABELS.served}=true`,
} as const;

/** Empty stores. */
export function createAdmissionStores(): AdmissionStores {
  return {
    versions: createVersionStore(),
    models: createStore({
      indexes: {
        namespace: ({ metadata }) => [metadata.namespace ?? ""],
        alias: ({ metadata, spec }) =>
          Object.values(spec?.aliases ?? {}).map((version) => `${metadata.namespace}/${version}`),
      },
    }),
    bindings: createStore({ indexes: { namespace: ({ metadata }) => [metadata.namespace ?? ""] } }),
    namespaces: createStore(),
    nodes: createStore(),
    served: createStore({
      indexes: {
        template: (pod) => {
          const key = templateKey(pod.metadata?.namespace ?? "", pod);
          return key === undefined ? [] : [key];
        },
      },
    }),
  };
}

/** The bindings that are in effect in a namespace: none without its consent. */
export function bindingsIn(
  stores: Pick<AdmissionStores, "namespaces" | "bindings">,
  namespace: string,
): readonly ModelBinding[] {
  return isInjectionEnabled(stores, namespace) ? stores.bindings.by("namespace", namespace) : [];
}

/** Whether bindings are in effect in a namespace. */
export function isInjectionEnabled(
  { namespaces }: Pick<AdmissionStores, "namespaces">,
  namespace: string,
): boolean {
  return namespaces.get(undefined, namespace) !== undefined;
}

/** Of pods of one template one for each thing that they got: hundreds got the same, and what they say is read for each model. */
export function differing(pods: readonly Pod[]): readonly Pod[] {
  const statuses = new Set<string>();
  return pods.filter(({ metadata }) => {
    const status = metadata?.annotations?.[ANNOTATIONS.status] ?? "";
    return !statuses.has(status) && statuses.add(status);
  });
}

/** Longest status annotation that is kept: far longer than what is said of 16 models. */
const MAX_STATUS = 16_384;

/** The part of a served pod's metadata that is kept: whose it is, and what it got. */
export function pickServed({ apiVersion, kind, metadata }: Pod): Pod {
  const { name, namespace, uid, resourceVersion, labels, annotations } = metadata ?? {};
  const revision = labels?.[REVISION];
  const status = annotations?.[ANNOTATIONS.status] ?? "";
  const controller = controllerOf({ metadata: metadata ?? {} });
  return {
    apiVersion,
    kind,
    metadata: {
      name,
      namespace,
      uid,
      resourceVersion,
      ...(revision === undefined ? {} : { labels: { [REVISION]: revision } }),
      ...(controller === undefined ? {} : { ownerReferences: [controller] }),
      annotations: status.length > MAX_STATUS ? {} : { [ANNOTATIONS.status]: status },
    },
  } as Pod;
}

/** The part of a node that is kept: a node's list of images alone is larger than all of it. */
export function pickNode({ apiVersion, kind, metadata, spec, status }: Node): Node {
  const { name, uid, resourceVersion, labels } = metadata ?? {};
  const { kubeletVersion, containerRuntimeVersion, operatingSystem } = status?.nodeInfo ?? {};
  const taints = spec?.taints;
  return {
    apiVersion,
    kind,
    metadata: { name, uid, resourceVersion, labels },
    ...(taints === undefined ? {} : { spec: { taints } }),
    status: { nodeInfo: { kubeletVersion, containerRuntimeVersion, operatingSystem } },
  } as Node;
}
