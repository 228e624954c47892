import type { KubeObject } from "./kube-types.ts";
import type { PatchOperation } from "./review.ts";

/** True for an object that carries the finalizer. */
export function hasFinalizer({ metadata }: KubeObject, finalizer: string): boolean {
  return metadata?.finalizers?.includes(finalizer) === true;
}

/** Puts a finalizer on an object; nothing where it stands already. */
export function withFinalizer(
  { metadata }: KubeObject,
  finalizer: string,
): readonly PatchOperation[] {
  const path = "/metadata/finalizers";
  const { finalizers } = metadata ?? {};
  if (finalizers === undefined || finalizers === null) {
    return [{ op: "add", path, value: [finalizer] }];
  }
  return finalizers.includes(finalizer) ? [] : [{ op: "add", path: `${path}/-`, value: finalizer }];
}

/** Takes a finalizer off an object, if it still stands where it was seen; empty when the object has it not. */
export function withoutFinalizer(
  { metadata }: KubeObject,
  finalizer: string,
): readonly PatchOperation[] {
  const index = metadata?.finalizers?.indexOf(finalizer) ?? -1;
  if (index === -1) return [];
  const path = `/metadata/finalizers/${index}`;
  return [
    { op: "test", path, value: finalizer },
    { op: "remove", path },
  ];
}
