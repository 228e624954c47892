/** Steps from the root of a JSON value to one in it. */
export type Path = readonly (string | number)[];

/** An object of JSON, of which nothing is known. */
export type Fields = Readonly<Record<string, unknown>>;

/** What a change gives for a value that is to be left out. */
export const REMOVED: unique symbol = Symbol("removed");

/** The object, or an empty one where there is none. */
export function fieldsOf(value: unknown): Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Fields)
    : {};
}

/** The list, or an empty one where there is none. */
export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The object with one more field, whatever it is called. */
export function withField(value: unknown, key: string, field: unknown): Fields {
  // A computed key makes a field of its own of "__proto__", too.
  return { ...fieldsOf(value), [key]: field };
}

/** Paths to all that is in a value, itself left out. */
export function pathsOf(value: unknown, before: Path = []): readonly Path[] {
  if (typeof value !== "object" || value === null) return [];
  const entries: readonly (readonly [string | number, unknown])[] = Array.isArray(value)
    ? [...value.entries()]
    : Object.entries(value);
  const paths: Path[] = [];
  for (const [step, inner] of entries) {
    const path = [...before, step];
    paths.push(path, ...pathsOf(inner, path));
  }
  return paths;
}

/** The value at a path; undefined where nothing is. */
export function valueAt(root: unknown, path: Path): unknown {
  let value = root;
  for (const step of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, step))
      return undefined;
    value = (value as Record<string | number, unknown>)[step];
  }
  return value;
}

/** The value with a part changed; the rest is shared, not copied. A path that leads nowhere changes nothing. */
export function changeAt(
  root: unknown,
  path: Path,
  change: (value: unknown) => unknown,
  depth = 0,
): unknown {
  const step = path[depth];
  if (step === undefined) return change(root);
  if (typeof root !== "object" || root === null) return root;
  if (Array.isArray(root)) {
    const items: readonly unknown[] = root;
    if (typeof step !== "number" || step >= items.length) return items;
    const item = changeAt(items[step], path, change, depth + 1);
    return item === REMOVED ? items.toSpliced(step, 1) : items.with(step, item);
  }
  const fields = root as Fields;
  if (depth < path.length - 1 && !Object.hasOwn(fields, step)) return fields;
  const before = Object.hasOwn(fields, step) ? fields[step] : undefined;
  const field = changeAt(before, path, change, depth + 1);
  if (field !== REMOVED) return { ...fields, [step]: field };
  const { [step]: _, ...others } = fields;
  return others;
}
