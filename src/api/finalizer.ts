import type { KubeObject } from "./kube-types.ts";
import type { PatchOperation } from "./review.ts";

/** True for an object that carries the finalizer. */
export function hasFinalizer({ metadata }: KubeObject, finalizer: string): boolean {
  return metadata?.finalizers?.includes(finalizer) === true;
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
