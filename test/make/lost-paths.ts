type Fields = Readonly<Record<string, unknown>>;

/**
 * Paths of values that the object has and its changed form has not: a list's items may have others before, between and after them,
 * and are found by their names; null is nothing that could be lost.
 */
export function lostPaths(object: unknown, changed: unknown, path = ""): readonly string[] {
  if (object === null || object === undefined) return [];
  if (Array.isArray(object)) return lostItems(object, Array.isArray(changed) ? changed : [], path);
  if (!isFields(object)) return object === changed ? [] : [path];
  const after = isFields(changed) ? changed : {};
  return Object.entries(object).flatMap(([key, value]) =>
    lostPaths(value, Object.hasOwn(after, key) ? after[key] : undefined, `${path}/${key}`),
  );
}

function lostItems(
  items: readonly unknown[],
  changed: readonly unknown[],
  path: string,
): readonly string[] {
  let next = 0;
  return items.flatMap((item, index) => {
    const found = changed.findIndex((each, at) => at >= next && isSameItem(item, each));
    if (found === -1) return [`${path}/${index}`];
    next = found + 1;
    return lostPaths(item, changed[found], `${path}/${index}`);
  });
}

/** Items with names are the same by these; others when they are equal. */
function isSameItem(one: unknown, other: unknown): boolean {
  if (isFields(one) && isFields(other) && Object.hasOwn(one, "name")) {
    return one["name"] === other["name"];
  }
  return JSON.stringify(one) === JSON.stringify(other);
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
