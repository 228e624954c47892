import { styleText } from "node:util";
import { createTwoFilesPatch, FILE_HEADERS_ONLY } from "diff";

/** Lines around a change. */
const CONTEXT = 3;

/** Starts of lines and their colours; the first that fits counts. */
const STYLES = [
  ["--- ", "bold"],
  ["+++ ", "bold"],
  ["@@", "cyan"],
  ["-", "red"],
  ["+", "green"],
] as const;

/** What changes in a file, as `diff -u` prints it and `patch` takes it, with or without colours; empty when nothing does. */
export function unifiedDiff(
  name: string,
  before: string,
  after: string,
  isColoured = false,
): string {
  if (before === after) return "";
  const patch = createTwoFilesPatch(name, name, before, after, undefined, undefined, {
    context: CONTEXT,
    headerOptions: FILE_HEADERS_ONLY,
  });
  return isColoured ? patch.split("\n").map(coloured).join("\n") : patch;
}

function coloured(line: string, index: number): string {
  // After the header, a line that was removed can begin with dashes of its own.
  const styles = index < 2 ? STYLES : STYLES.slice(2);
  const style = styles.find(([start]) => line.startsWith(start))?.[1];
  // Whoever calls has looked at the terminal.
  return style === undefined ? line : styleText(style, line, { validateStream: false });
}
