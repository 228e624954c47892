/** A string, with the colon after it where it is a key; or the begin or end of an object or list. Valid JSON has quotes nowhere else. */
const TOKEN = /("(?:[^"\\]|\\.)*")(\s*:)?|[{}[\]]/g;

/** Objects of images whose keys are names that users gave: those count as they are written. */
const MAPS = new Set(["labels", "annotations", "volumes", "exposedports"]);

/**
 * The first key that an object of this JSON text has twice, in whatever case; undefined when there is none. Of such keys our
 * parser takes the last as written, and Go's all of them one over the other, so that each would see another image.
 */
export function repeatedKey(text: string): string | undefined {
  const open: { readonly isMap: boolean; readonly keys: Set<string> }[] = [];
  let last = "";
  for (const [token, quoted, colon] of text.matchAll(TOKEN)) {
    if (token === "{" || token === "[") {
      open.push({ isMap: token === "{" && MAPS.has(last), keys: new Set() });
      last = "";
    } else if (token === "}" || token === "]") {
      open.pop();
    } else if (quoted !== undefined && colon !== undefined) {
      const key = JSON.parse(quoted) as string;
      last = key.toLowerCase();
      const { isMap, keys } = open.at(-1) ?? { isMap: false, keys: new Set<string>() };
      const name = isMap ? key : last;
      if (keys.has(name)) return key;
      keys.add(name);
    }
  }
  return undefined;
}
