/** A JSON object of which nothing else is known. */
export type Fields = Readonly<Record<string, unknown>>;

/** True for a JSON object: no null, no list. */
export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The map's own value: what strangers name may be called "constructor". */
export function own<T>(map: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(map, key) ? map[key] : undefined;
}
