import type { KubeObject, OwnerReference } from "./kube-types.ts";

/**
 * The reference by which garbage collection takes a child along with its controller. It never blocks the owner's deletion:
 * that would need rights on the owner's finalizers, and would wait for the child.
 */
export function controlledBy(owner: KubeObject): OwnerReference {
  return {
    apiVersion: owner.apiVersion ?? "",
    kind: owner.kind ?? "",
    name: owner.metadata?.name ?? "",
    uid: owner.metadata?.uid ?? "",
    controller: true,
    blockOwnerDeletion: false,
  };
}
