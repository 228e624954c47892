import * as fc from "fast-check";
import { parse } from "yaml";
import { describe, expect, test } from "vitest";
import { anyChoices, operationsFor } from "../../test/make/any-operations.ts";
import { anyJson, anyKeyText, anyYaml } from "../../test/make/any-yaml.ts";
import { patched } from "../../test/make/patched.ts";
import { yamlDocument } from "../../test/make/yaml-documents.ts";
import type { PatchOperation } from "../api/review.ts";
import { deepFreeze } from "../kube/freeze.ts";
import { patchDocument } from "./patch-document.ts";
import { printDocument } from "./print-document.ts";

const VERSIONS = ["1.1", "1.2"] as const;

describe("an operation", () => {
  test.each<[string, string, PatchOperation]>([
    ["adds a key", "a: 1\n", { op: "add", path: "/b", value: { c: [1] } }],
    ["adds over a key that is there", "a: 1\n", { op: "add", path: "/a", value: 2 }],
    ["adds to a map within", "a: {b: 1}\n", { op: "add", path: "/a/c", value: 2 }],
    ["adds at the end of a list", "a: [1]\n", { op: "add", path: "/a/-", value: 2 }],
    ["adds at the end by its index", "a: [1]\n", { op: "add", path: "/a/1", value: 2 }],
    ["adds at the start of a list", "a:\n- 1\n", { op: "add", path: "/a/0", value: 2 }],
    ["adds between items", "a:\n- 1\n- 3\n", { op: "add", path: "/a/1", value: 2 }],
    ["adds to an empty list", "a: []\n", { op: "add", path: "/a/-", value: 2 }],
    ["adds over null", "a:\n", { op: "add", path: "/a", value: { b: 1 } }],
    ["replaces a value", "a: {b: 1}\n", { op: "replace", path: "/a/b", value: [] }],
    ["replaces an item", "a: [1, 2]\n", { op: "replace", path: "/a/0", value: 3 }],
    ["removes a key", "a: 1\nb: 2\n", { op: "remove", path: "/a" }],
    ["removes an item", "a: [1, 2]\n", { op: "remove", path: "/a/0" }],
    ["removes the last key", "a:\n  b: 1\n", { op: "remove", path: "/a/b" }],
    ["passes a test", "a: {b: [1]}\n", { op: "test", path: "/a", value: { b: [1] } }],
    ["reads escapes", "a/b: {c~d: {}}\n", { op: "add", path: "/a~1b/c~0d/e~01", value: 1 }],
    ["finds a key that is a number", "8080: {}\n", { op: "add", path: "/8080/x", value: 1 }],
    ["finds a key that is a number in hex", "0x10: {}\n", { op: "add", path: "/16/x", value: 1 }],
    ["adds a key that looks like true", "a: 1\n", { op: "add", path: "/on", value: 1 }],
    ["adds a key that looks like a number", "a: {}\n", { op: "add", path: "/a/0", value: 1 }],
    ["adds a key that looks like a merge", "a: 1\n", { op: "add", path: "/<<", value: { b: 1 } }],
    ["adds an empty key", "a: 1\n", { op: "add", path: "/", value: 1 }],
    ["replaces the whole", "a: 1\n", { op: "replace", path: "", value: { b: 1 } }],
  ])("%s", (_, text, operation) => {
    const { readings, wanted } = outcome(text, [operation]);
    expect(readings).toEqual(wanted);
  });

  test("sees what those before it did", () => {
    const { readings, wanted } = outcome("spec: {}\n", [
      { op: "add", path: "/spec/volumes", value: [{ name: "one" }] },
      { op: "add", path: "/spec/volumes/-", value: { name: "two" } },
      { op: "add", path: "/spec/volumes/0/emptyDir", value: {} },
      { op: "remove", path: "/spec/volumes/1" },
    ]);
    expect(readings).toEqual(wanted);
  });

  test("finds a key by what kubectl takes it for", () => {
    const document = yamlDocument("on: {a: 1}\n");
    patchDocument(document.tree, "", [{ op: "add", path: "/true/b", value: 2 }]);
    expect(printDocument(document)).toBe("on: {a: 1, b: 2}\n");
  });

  test("is made below a place of the document", () => {
    const document = yamlDocument("items:\n- spec: {}\n");
    patchDocument(document.tree, "/items/0", [{ op: "add", path: "/spec/a~1b", value: 1 }]);
    expect(printDocument(document)).toBe("items:\n- spec:\n    a/b: 1\n");
  });

  test.each([
    ["absent", "spec:\n  containers: []\n"],
    ["null", "spec:\n  containers: []\nmetadata:\n"],
    ["null by name", "spec:\n  containers: []\nmetadata: null # none\n"],
  ])("makes a map on the way that is %s", (_, text) => {
    const operation = { op: "add", path: "/metadata/annotations/a", value: "b" } as const;
    const document = yamlDocument(text);
    patchDocument(document.tree, "", [operation]);
    expect(parse(printDocument(document))).toEqual({
      spec: { containers: [] },
      metadata: { annotations: { a: "b" } },
    });
  });

  test.each<[string, PatchOperation]>([
    ["in a text", { op: "add", path: "/text/x", value: 1 }],
    ["in a list, by a name", { op: "add", path: "/list/x", value: 1 }],
    ["beyond a list", { op: "add", path: "/list/3", value: 1 }],
    ["at an index that is written otherwise", { op: "add", path: "/list/01", value: 1 }],
    ["below an item that is not there", { op: "add", path: "/list/7/a", value: 1 }],
    ["by replacing what is not there", { op: "replace", path: "/other", value: 1 }],
    ["by replacing the end of a list", { op: "replace", path: "/list/-", value: 1 }],
    ["by removing what is not there", { op: "remove", path: "/other" }],
    ["by removing beyond a list", { op: "remove", path: "/list/2" }],
    ["by removing below what is not there", { op: "remove", path: "/other/a" }],
    ["by a test of another value", { op: "test", path: "/text", value: 1 }],
    ["by a test of what is not there", { op: "test", path: "/text/length", value: 1 }],
  ])("is refused %s", (_, operation) => {
    const { tree } = yamlDocument("at:\n  text: a\n  list: [1, 2]\n");
    const message = `the patch does not fit: ${operation.op} /at${operation.path}`;
    expect(() => patchDocument(tree, "/at", [operation])).toThrow(message);
  });
});

describe("what shares an anchor keeps what it is when there is a change", () => {
  test.each<[string, string, PatchOperation, string]>([
    [
      "below an alias",
      "a: &x\n  b: 1\nc: *x\n",
      { op: "add", path: "/c/d", value: 2 },
      "a: &x\n  b: 1\nc:\n  b: 1\n  d: 2\n",
    ],
    [
      "below the anchor",
      "a: &x\n  b: 1\nc: *x\n",
      { op: "add", path: "/a/d", value: 2 },
      "a: &x\n  b: 1\n  d: 2\nc:\n  b: 1\n",
    ],
    [
      "of an item of the anchor",
      "a: &x\n- b: 1\nc: *x\n",
      { op: "replace", path: "/a/0/b", value: 2 },
      "a: &x\n- b: 2\nc:\n- b: 1\n",
    ],
    [
      "in place of the anchor",
      "a: &x 1\nb: *x # one\n",
      { op: "replace", path: "/a", value: 2 },
      "a: 2\nb: 1 # one\n",
    ],
    [
      "that removes what has the anchor in it",
      "a:\n  b: &x 0x1F\nc: *x\n",
      { op: "remove", path: "/a" },
      "c: 0x1F\n",
    ],
    [
      "below an alias of what has aliases in it",
      "a: &x 1\nb: &z\n  c: *x\nd: *z\n",
      { op: "add", path: "/d/e", value: 2 },
      "a: &x 1\nb: &z\n  c: *x\nd:\n  c: 1\n  e: 2\n",
    ],
    [
      "below an alias that is an item",
      "a: &x {b: 1}\nc:\n- *x\n- *x\n",
      { op: "add", path: "/c/0/d", value: 2 },
      "a: &x {b: 1}\nc:\n- {b: 1, d: 2}\n- *x\n",
    ],
    [
      "below a key that a merge brings",
      "a: &x\n  b: {c: 1}\nd:\n  <<: *x\n",
      { op: "add", path: "/d/b/e", value: 2 },
      "a: &x\n  b: {c: 1}\nd:\n  <<: *x\n  b: {c: 1, e: 2}\n",
    ],
    [
      "of a key that a merge brings",
      "a: &x\n  b: 1\nd:\n  <<: *x\n",
      { op: "replace", path: "/d/b", value: 2 },
      "a: &x\n  b: 1\nd:\n  <<: *x\n  b: 2\n",
    ],
    [
      "that removes a key that a merge brings",
      "a: &x\n  b: 1\n  c: 2\nd:\n  <<: *x\n  e: 3\n",
      { op: "remove", path: "/d/b" },
      "a: &x\n  b: 1\n  c: 2\nd:\n  e: 3\n  c: 2\n",
    ],
    [
      "that removes a key which a merge would bring again",
      "a: &x\n  b: 1\n  c: 2\nd:\n  <<: [*x]\n  b: 3\n",
      { op: "remove", path: "/d/b" },
      "a: &x\n  b: 1\n  c: 2\nd:\n  c: 2\n",
    ],
    [
      "of what is merged elsewhere",
      "a: &x\n  b: 1\nd:\n  <<: *x\n",
      { op: "add", path: "/a/c", value: 2 },
      "a: &x\n  b: 1\n  c: 2\nd:\n  <<:\n    b: 1\n",
    ],
  ])("%s", (_, text, operation, after) => {
    const { readings, wanted } = outcome(text, [operation]);
    expect(readings).toEqual(wanted);
    const document = yamlDocument(text);
    patchDocument(document.tree, "", [operation]);
    expect(printDocument(document)).toBe(after);
  });
});

describe("a new text is written", () => {
  test.each([
    ["bare", "serve", "a: serve"],
    [
      "bare, with what an image has",
      "registry.example/a@sha256:0",
      "a: registry.example/a@sha256:0",
    ],
    ["quoted, when it is empty", "", 'a: ""'],
    ["quoted, when it looks like true", "yes", 'a: "yes"'],
    ["quoted, when it looks like true in old YAML", "on", 'a: "on"'],
    ["quoted, when it looks like false in old YAML", "n", 'a: "n"'],
    ["quoted, when it looks like null", "~", 'a: "~"'],
    ["quoted, when it looks like a number", "123", 'a: "123"'],
    ["quoted, when it looks like a number with an exponent", "1e3", 'a: "1e3"'],
    ["quoted, when it looks like an octal number", "0o17", 'a: "0o17"'],
    ["quoted, when it looks like an octal number of old YAML", "017", 'a: "017"'],
    ["quoted, when it looks like a number with underscores", "1_000", 'a: "1_000"'],
    ["quoted, when it looks like a time", "12:30:00", 'a: "12:30:00"'],
    ["quoted, when it looks like a date", "2026-11-23", 'a: "2026-11-23"'],
    ["quoted by other quotes, when it is JSON", '{"b":1}', "a: '{\"b\":1}'"],
    [
      "as it is, when it has lines",
      "set -e\ncd /x\n\n  : > .done",
      "a: |-\n  set -e\n  cd /x\n\n    : > .done",
    ],
    ["quoted, when its lines begin with spaces", " a\nb", 'a: " a\\nb"'],
    ["quoted, when its last line ends", "a\nb\n", 'a: "a\\nb\\n"'],
    ["with escapes, where kubectl ends a line", "a\u2028b", 'a: "a\\u2028b"'],
  ])("%s", (_, value, line) => {
    const document = yamlDocument("first: 1\n");
    patchDocument(document.tree, "", [{ op: "add", path: "/a", value }]);
    expect(printDocument(document)).toBe(`first: 1\n${line}\n`);
  });
});

describe("whatever the document and the operations are", () => {
  test("what is printed reads as another implementation would have it, by YAML 1.1 and 1.2", () => {
    const any = anyChoices(["insert", "set", "replace", "remove"], anyKeyText, anyJson);
    fc.assert(
      fc.property(anyYaml, any, ({ object, text }, choices) => {
        const { readings, wanted } = outcome(text, operationsFor(object, choices));
        expect(readings).toEqual(wanted);
      }),
    );
  });

  test("what is added takes no comment away", () => {
    fc.assert(
      fc.property(anyYaml, anyChoices(["insert"], anyKeyText, anyJson), (written, choices) => {
        const document = yamlDocument(written.text);
        patchDocument(document.tree, "", operationsFor(written.object, choices));
        expect(commentsIn(printDocument(document))).toBeGreaterThanOrEqual(
          commentsIn(written.text),
        );
      }),
    );
  });
});

/** What the printed text reads as, by YAML 1.1 and 1.2, and what it should. */
function outcome(
  text: string,
  operations: readonly PatchOperation[],
): { readonly readings: readonly unknown[]; readonly wanted: readonly unknown[] } {
  const document = yamlDocument(text);
  const object = JSON.parse(JSON.stringify(document.tree.toJS())) as object;
  patchDocument(document.tree, "", deepFreeze(operations));
  const printed = printDocument(document);
  const wanted = patched(object, operations);
  return {
    readings: VERSIONS.map((version) =>
      parse(printed, { version, merge: true, maxAliasCount: -1 }),
    ),
    wanted: VERSIONS.map(() => wanted),
  };
}

function commentsIn(text: string): number {
  return text.match(/# [a-z]+/g)?.length ?? 0;
}
