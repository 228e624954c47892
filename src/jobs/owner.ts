import type { KubeObject, OwnerReference } from "../api/kube-types.ts";

/** The owner that controls an object; undefined when none does. */
export function controllerOf(object: KubeObject): OwnerReference | undefined {
  return object.metadata?.ownerReferences?.find((owner) => owner.controller === true);
}
