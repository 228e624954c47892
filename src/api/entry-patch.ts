import { pointerToken, type PatchOperation } from "./review.ts";

/** Puts an entry into a map, such as annotations, which may not be there yet; nothing where it stands already. */
export function setEntry(
  path: string,
  entries: Readonly<Record<string, string>> | null | undefined,
  key: string,
  value: string,
): readonly PatchOperation[] {
  if (entries?.[key] === value) return [];
  return entries === undefined || entries === null
    ? [{ op: "add", path, value: { [key]: value } }]
    : [{ op: "add", path: `${path}/${pointerToken(key)}`, value }];
}
