import { describe, expect, test } from "vitest";
import { unifiedDiff } from "./diff.ts";

const BEFORE = "kind: Pod\nmetadata:\n  name: serve\nspec:\n  # one\n  containers: []\n";
const AFTER =
  "kind: Pod\nmetadata:\n  name: serve\n  labels:\n    a: b\nspec:\n  # one\n  containers: []\n";

describe("a diff", () => {
  test("has three lines around what changes, and the name of the file twice", () => {
    expect(unifiedDiff("serve.yaml", BEFORE, AFTER)).toBe(
      [
        "--- serve.yaml",
        "+++ serve.yaml",
        "@@ -1,6 +1,8 @@",
        " kind: Pod",
        " metadata:",
        "   name: serve",
        "+  labels:",
        "+    a: b",
        " spec:",
        "   # one",
        "   containers: []",
        "",
      ].join("\n"),
    );
  });

  test("of equal texts is empty", () => {
    expect(unifiedDiff("serve.yaml", BEFORE, BEFORE)).toBe("");
  });

  test("tells of a line end that is not there", () => {
    expect(unifiedDiff("a", "x: 1", "x: 2\n")).toContain(
      "-x: 1\n\\ No newline at end of file\n+x: 2\n",
    );
  });

  test("shows no line as changed but those that are, in a file of Windows", () => {
    const [before = "", after = ""] = [BEFORE, AFTER].map((each) => each.replaceAll("\n", "\r\n"));
    const lines = unifiedDiff("a", before, after).split("\n").slice(2);
    expect(lines.filter((line) => /^[-+]/.test(line))).toEqual(["+  labels:\r", "+    a: b\r"]);
  });

  test("is coloured when it is asked to be, and only then", () => {
    const before = "a: 1\n---\nb: 2\n";
    const after = "a: 1\n";
    expect(unifiedDiff("x", before, after, true)).toBe(
      [
        "\u001B[1m--- x\u001B[22m",
        "\u001B[1m+++ x\u001B[22m",
        "\u001B[36m@@ -1,3 +1,1 @@\u001B[39m",
        " a: 1",
        "\u001B[31m----\u001B[39m",
        "\u001B[31m-b: 2\u001B[39m",
        "",
      ].join("\n"),
    );
    expect(unifiedDiff("x", before, after)).not.toContain("\u001B");
  });
});
