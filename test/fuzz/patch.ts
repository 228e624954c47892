import jsonPatch, { type Operation } from "fast-json-patch";
import { fieldsOf } from "./tree.ts";

/** The object after a patch, or why there is none. */
export type Patched =
  | { readonly ok: true; readonly object: unknown }
  | { readonly ok: false; readonly cause: string };

/**
 * Applies the patch of an answer to an object, which it may change, by another implementation of RFC 6902. That one refuses paths
 * with `__proto__` in them. No exception is made for it: an operation of ours names fields and keys of ours only.
 */
export function patchedBy(object: unknown, patch: unknown): Patched {
  if (typeof patch !== "string") return fault("a patch that is no text");
  const bytes = Buffer.from(patch, "base64");
  if (bytes.toString("base64") !== patch) return fault("a patch that is not base64");
  let operations: unknown;
  try {
    operations = JSON.parse(bytes.toString("utf8"));
  } catch (error) {
    return fault(`a patch that is not JSON: ${(error as Error).message}`);
  }
  if (!Array.isArray(operations) || operations.length === 0) return fault("a patch of nothing");
  if (!operations.every((each) => typeof fieldsOf(each)["op"] === "string")) {
    return fault("a patch with what is no operation");
  }
  try {
    const { newDocument } = jsonPatch.applyPatch(object, operations as Operation[], true);
    return { ok: true, object: newDocument };
  } catch (error) {
    const [line] = (error as Error).message.split("\n");
    return fault(`a patch that does not apply: ${line} (${bytes.toString("utf8").slice(0, 300)})`);
  }
}

function fault(cause: string): Patched {
  return { ok: false, cause };
}
