/** `npm run docs`: writes docs/reasons.md, docs/rules.md and docs/job-kinds.md from the tables in src; with `--check`, fails when one is not up to date. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { REASONS } from "../src/api/reasons.ts";
import { RULES, type RuleText } from "../src/api/rules.ts";
import { jobKindRows } from "./job-kinds-page.ts";

const directory = join(import.meta.dirname, "../docs");

const reasons = `# Reasons

Conditions and events show these codes; denials and warnings are counted by them (label \`reason\` of the metrics), and audit annotations carry those of denials. Condition
\`StorageReady\` says whether the volume of a version is there, \`Built\` whether its image is, \`Retrying\` that its build is tried again until something outside of it is over;
of a Model \`Built\` says whether any version is built, \`AliasesResolved\` whether every alias names one that is;
of a ModelBinding \`InEffect\` says whether it gives pods anything, \`Resolved\` whether what it serves is built, \`Injected\` whether every running pod that it has got it.

${table([["Code", "What it says"], ...Object.entries(REASONS).map(([code, says]) => [`\`${code}\``, says])])}`;

const rules = `# Rules at apply time

What every ModelVersion, Model and ModelBinding must keep. All that is wrong with an object is said in one answer (422 Invalid), each fault with its JSON path,
the value, and what would be right; what is of a wrong type hides only what depends on it. Fields that are unknown the API server refuses before, without us. What a job exports (annotation \`export\`, \`spec.export\` of a ModelBinding) keeps the rules of a ModelVersion, too. A rule that holds
_always_ is in the CustomResourceDefinition, or another policy of the API server, as well, so that it holds while no webhook runs. What was stored before a rule existed
stays open to changes of labels, annotations, finalizers and status.

${table([["Rule", "Field", "What holds", "Always"], ...Object.entries(RULES).map(([rule, about]) => ruleRow(rule, about))])}`;

const jobKinds = `# Kinds of jobs

The jobs that can export a model ([export.md](export.md)), which of their pods writes it, and what their objects show when they have ended. Success is looked at first. Where some pod templates ask for the export and
others do not, only pods of those write.

${table(jobKindRows())}`;

const pages = { "reasons.md": reasons, "rules.md": rules, "job-kinds.md": jobKinds };
const stale = Object.entries(pages).filter(
  ([name, text]) => !isUpToDate(join(directory, name), text),
);

if (!process.argv.includes("--check")) {
  mkdirSync(directory, { recursive: true });
  for (const [name, text] of stale) writeFileSync(join(directory, name), text);
} else if (stale.length > 0) {
  const names = stale.map(([name]) => `docs/${name}`).join(", ");
  process.stderr.write(`not what the tables in src say: ${names}. Run: npm run docs\n`);
  process.exit(1);
}

function ruleRow(rule: string, { field, says, always }: RuleText): readonly string[] {
  const fields = field.split(", ").map((each) => `\`${each}\``);
  return [`\`${rule}\``, fields.join(", "), says, always ? "yes" : ""];
}

function isUpToDate(file: string, text: string): boolean {
  return existsSync(file) && readFileSync(file, "utf8") === text;
}

/** A table as the formatter writes it; the first row is its head. */
function table(rows: readonly (readonly string[])[]): string {
  const [head = [], ...rest] = rows;
  const widths = head.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    `| ${widths.map((width, column) => (cells[column] ?? "").padEnd(width)).join(" | ")} |\n`;
  return [head, widths.map((width) => "-".repeat(width)), ...rest].map(line).join("");
}
