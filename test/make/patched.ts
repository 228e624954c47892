import jsonPatch from "fast-json-patch";
import type { PatchOperation } from "../../src/api/review.ts";

/** A copy of the object with the patch applied by another implementation of RFC 6902; throws when the patch does not fit. */
export function patched<T>(object: T, operations: readonly PatchOperation[]): T {
  const copy = structuredClone(object);
  return jsonPatch.applyPatch(copy, structuredClone([...operations]), true).newDocument;
}
