import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import type { ConfigMap } from "../../src/api/kube-types.ts";
import { FAILURES } from "../../src/builder/failure.ts";

const ROOT = join(import.meta.dirname, "../..");
const page = readFileSync(join(ROOT, "docs/builds.md"), "utf8");

test("docs/builds.md has a row for each reason of failure, with how often it is tried again", () => {
  const rows = rowsOf("When a build fails").map(([reason, retry]) => [reason, retry]);
  expect(rows).toEqual(Object.entries(FAILURES).map(([reason, { retry }]) => [reason, retry]));
});

test("docs/builds.md has a row for each setting of builds", () => {
  const limits = parseAllDocuments(readFileSync(join(ROOT, "deploy/install.yaml"), "utf8"))
    .map((document) => document.toJS() as ConfigMap)
    .find(({ kind }) => kind === "ConfigMap");
  const { build } = parse(limits?.data?.["config.yaml"] ?? "") as { build: object };
  const named = rowsOf("Settings").map(([setting = ""]) => setting);
  expect(named.toSorted()).toEqual(Object.keys(build).toSorted());
});

/** The cells of a section's table, without the marks of code. */
function rowsOf(section: string): readonly (readonly string[])[] {
  const text = page.split(`\n## ${section}\n`)[1]?.split("\n## ")[0] ?? "";
  return text
    .split("\n")
    .filter((line) => line.startsWith("| `"))
    .map((line) =>
      line
        .split("|")
        .map((cell) => cell.replaceAll("`", "").trim())
        .slice(1, -1),
    );
}
