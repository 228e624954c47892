import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { crdFiles } from "../../src/api/crd.ts";
import { REASONS } from "../../src/api/reasons.ts";
import { RULES } from "../../src/api/rules.ts";

const root = join(import.meta.dirname, "../..");

function textOf(...path: readonly string[]): string {
  return readFileSync(join(root, ...path), "utf8");
}

describe("deploy/crds", () => {
  test("has a file of each kind, and no other", () => {
    expect(readdirSync(join(root, "deploy/crds")).toSorted()).toEqual(
      [...crdFiles().keys()].toSorted(),
    );
  });

  test.each([...crdFiles()])("%s is what src/api says (npm run crds)", (name, text) => {
    expect(textOf("deploy/crds", name)).toBe(text);
  });
});

describe("docs/reasons.md", () => {
  test("lists exactly the table in src/api/reasons.ts (npm run docs)", () => {
    const rows = [...textOf("docs/reasons.md").matchAll(/^\| `(\w+)` +\| (.*?) +\|$/gm)];
    expect(rows.map(([, code, sentence]) => [code, sentence])).toEqual(Object.entries(REASONS));
  });
});

describe("docs/rules.md", () => {
  test("lists exactly the table in src/api/rules.ts (npm run docs)", () => {
    const rows = [
      ...textOf("docs/rules.md").matchAll(/^\| `(\w+)` +\| `.*` +\| (.*?) +\| +(yes)? *\|$/gm),
    ];
    expect(rows.map(([, rule, says, always]) => [rule, says, always === "yes"])).toEqual(
      Object.entries(RULES).map(([rule, { says, always }]) => [rule, says, always]),
    );
  });
});

describe("a reason", () => {
  const sources = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"))
    .filter((name) => name !== "api/reasons.ts")
    .map((name) => textOf("src", name))
    .join("\n");

  test.each(Object.entries(REASONS))(
    "%s is PascalCase, a sentence, and given somewhere",
    (code, sentence) => {
      expect(code).toMatch(/^[A-Z][A-Za-z]+$/);
      expect(sentence).toMatch(/^\S.*\.$/);
      expect(sources).toContain(`"${code}"`);
    },
  );
});
