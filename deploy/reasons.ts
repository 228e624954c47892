/** `npm run reasons`: writes docs/reasons.md from the table in src/api/reasons.ts; with `--check`, fails when it is not up to date. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { REASONS } from "../src/api/reasons.ts";

const file = join(import.meta.dirname, "../docs/reasons.md");
const rows = Object.entries(REASONS).map(([code, sentence]) => [`\`${code}\``, sentence] as const);
const page = `# Reasons

Conditions, events, denials, warnings and the label \`reason\` of metrics use these codes.

${table([["Code", "What it says"], ...rows])}`;

if (!process.argv.includes("--check")) {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, page);
} else if (!existsSync(file) || readFileSync(file, "utf8") !== page) {
  process.stderr.write("docs/reasons.md is not src/api/reasons.ts. Run: npm run reasons\n");
  process.exit(1);
}

/** A table of two columns as the formatter writes it; the first row is its head. */
function table(lines: readonly (readonly [string, string])[]): string {
  const width = (column: 0 | 1): number => Math.max(...lines.map((line) => line[column].length));
  const [left, right] = [width(0), width(1)];
  const [head = "", ...rest] = lines.map((line) =>
    row(line[0].padEnd(left), line[1].padEnd(right)),
  );
  return [head, row("-".repeat(left), "-".repeat(right)), ...rest].join("");
}

function row(first: string, second: string): string {
  return `| ${first} | ${second} |\n`;
}
