import { isFields } from "../api/fields.ts";

/** What stands at a path such as `spec.trainer.numNodes` of an object of any shape; undefined where it leads to nothing. */
export function fieldAt(object: unknown, path: string): unknown {
  return path
    .split(".")
    .reduce<unknown>(
      (value, step) => (isFields(value) && Object.hasOwn(value, step) ? value[step] : undefined),
      object,
    );
}

/** The text at a path; undefined where there is none. */
export function textAt(object: unknown, path: string): string | undefined {
  const value = fieldAt(object, path);
  return typeof value === "string" ? value : undefined;
}

/** The list at a path; empty where there is none. */
export function listAt(object: unknown, path: string): readonly unknown[] {
  const value = fieldAt(object, path);
  return Array.isArray(value) ? value : [];
}
