/** How a kind is addressed in the API. */
export interface Resource {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

/** Names one object; without `namespace` a cluster-scoped one. */
export interface ObjectRef {
  readonly namespace?: string | undefined;
  readonly name: string;
}

/** The kinds that modelhook reads or writes. */
export const resources = {
  pods: core("pods", "Pod"),
  services: core("services", "Service"),
  configmaps: core("configmaps", "ConfigMap"),
  secrets: core("secrets", "Secret"),
  persistentvolumeclaims: core("persistentvolumeclaims", "PersistentVolumeClaim"),
  persistentvolumes: { ...core("persistentvolumes", "PersistentVolume"), namespaced: false },
  namespaces: { ...core("namespaces", "Namespace"), namespaced: false },
  nodes: { ...core("nodes", "Node"), namespaced: false },
  events: grouped("events.k8s.io", "events", "Event"),
  jobs: grouped("batch", "jobs", "Job"),
  deployments: grouped("apps", "deployments", "Deployment"),
  replicasets: grouped("apps", "replicasets", "ReplicaSet"),
  statefulsets: grouped("apps", "statefulsets", "StatefulSet"),
  daemonsets: grouped("apps", "daemonsets", "DaemonSet"),
  cronjobs: grouped("batch", "cronjobs", "CronJob"),
  subjectaccessreviews: {
    ...grouped("authorization.k8s.io", "subjectaccessreviews", "SubjectAccessReview"),
    namespaced: false,
  },
  leases: grouped("coordination.k8s.io", "leases", "Lease"),
  models: { ...grouped("model.kubedl.io", "models", "Model"), version: "v1alpha1" },
  modelversions: {
    ...grouped("model.kubedl.io", "modelversions", "ModelVersion"),
    version: "v1alpha1",
  },
  modelbindings: {
    ...grouped("model.kubedl.io", "modelbindings", "ModelBinding"),
    version: "v1alpha1",
  },
  validatingwebhookconfigurations: {
    ...grouped(
      "admissionregistration.k8s.io",
      "validatingwebhookconfigurations",
      "ValidatingWebhookConfiguration",
    ),
    namespaced: false,
  },
  mutatingwebhookconfigurations: {
    ...grouped(
      "admissionregistration.k8s.io",
      "mutatingwebhookconfigurations",
      "MutatingWebhookConfiguration",
    ),
    namespaced: false,
  },
  customresourcedefinitions: {
    ...grouped("apiextensions.k8s.io", "customresourcedefinitions", "CustomResourceDefinition"),
    namespaced: false,
  },
} as const satisfies Record<string, Resource>;

/**
 * Path of one object, or of a collection when `name` is absent; without `namespace` the collection spans all namespaces.
 * Throws when the place does not fit the resource's scope, which is a bug of the caller.
 */
export function resourcePath(
  resource: Resource,
  place: {
    readonly namespace?: string | undefined;
    readonly name?: string | undefined;
    readonly subresource?: string | undefined;
  } = {},
): string {
  const { namespace, name, subresource } = place;
  if (!resource.namespaced && namespace !== undefined) {
    throw new Error(`${resource.plural} have no namespace, but ${namespace} was given`);
  }
  if (resource.namespaced && name !== undefined && namespace === undefined) {
    throw new Error(`${resource.plural} ${name} needs a namespace`);
  }
  if (name === "" || namespace === "") {
    throw new Error(`${resource.plural} cannot be addressed by an empty name or namespace`);
  }
  const segments = [
    ...(resource.group === "" ? ["api"] : ["apis", resource.group]),
    resource.version,
    ...(namespace === undefined ? [] : ["namespaces", namespace]),
    resource.plural,
    ...(name === undefined ? [] : [name]),
    ...(subresource === undefined ? [] : [subresource]),
  ];
  return `/${segments.map((segment) => encodeURIComponent(segment)).join("/")}`;
}

function core(plural: string, kind: string): Resource {
  return { group: "", version: "v1", plural, kind, namespaced: true };
}

function grouped(group: string, plural: string, kind: string): Resource {
  return { group, version: "v1", plural, kind, namespaced: true };
}
