/** Where the process is to die, for crash tests: before or after the n-th write of its life, counted from 1. */
export interface FailPoint {
  readonly when: "before" | "after";
  readonly write: number;
}

/** Reads `before:3` or `after:3`; undefined when the text is neither. */
export function parseFailPoint(text: string): FailPoint | undefined {
  const match = /^(before|after):([1-9]\d*)$/.exec(text);
  if (match === null) return undefined;
  return { when: match[1] as FailPoint["when"], write: Number(match[2]) };
}

/** Counts writes, and calls `die` at the fail point. */
export function createFailPoints(
  point: FailPoint | undefined,
  die: () => void,
): { readonly around: <T>(write: () => Promise<T>) => Promise<T> } {
  let count = 0;
  return {
    async around(write) {
      const number = ++count;
      if (point?.when === "before" && point.write === number) die();
      const result = await write();
      if (point?.when === "after" && point.write === number) die();
      return result;
    },
  };
}
