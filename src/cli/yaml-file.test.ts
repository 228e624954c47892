import { describe, expect, test } from "vitest";
import { yamlDocuments } from "../../test/make/yaml-documents.ts";
import { faultText } from "./file-fault.ts";
import { parseYamlFile } from "./yaml-file.ts";

const POD = "kind: Pod\nmetadata:\n  name: serve\n";

describe("a file", () => {
  test.each<[string, string, readonly string[]]>([
    ["of one document", POD, [POD]],
    ["of several", `${POD}---\n${POD}`, [POD, `---\n${POD}`]],
    [
      "with comments beside the lines between",
      `# first\n--- # one\n${POD}--- # two\t!\n${POD}`,
      [`# first\n--- # one\n${POD}`, `--- # two\t!\n${POD}`],
    ],
    [
      "with comments above a line between",
      `${POD}\n# second\n---\n${POD}# end\n`,
      [`${POD}\n# second\n`, `---\n${POD}# end\n`],
    ],
    ["with ends of documents", `${POD}...\n---\n${POD}...\n`, [`${POD}...\n`, `---\n${POD}...\n`]],
    [
      "with a directive",
      `${POD}...\n%YAML 1.1\n---\n${POD}`,
      [`${POD}...\n`, `%YAML 1.1\n---\n${POD}`],
    ],
    ["with empty documents", `---\n---\n${POD}---\n`, ["---\n", `---\n${POD}`, "---\n"]],
    [
      "with documents of comments",
      `# none\n---\n${POD}---\n# none\n`,
      [`# none\n---\n${POD}`, "---\n# none\n"],
    ],
    ["without a line end at its end", POD.trimEnd(), [POD.trimEnd()]],
    [
      "of Windows",
      `\uFEFF${POD}---\n${POD}`.replaceAll("\n", "\r\n"),
      [`\uFEFF${POD}`, `---\n${POD}`].map((text) => text.replaceAll("\n", "\r\n")),
    ],
  ])("%s is parted into documents, and nothing of it is lost", (_, text, parts) => {
    const documents = yamlDocuments(text);
    expect(documents.map(({ start, end }) => text.slice(start, end))).toEqual(parts);
  });

  test.each([
    ["an empty file", ""],
    ["a file of comments", "# none\n\n# at all"],
    ["a file of empty lines", "\n\n"],
    ["a file of a byte order mark", "\uFEFF"],
  ])("%s has no objects", (_, text) => {
    expect(yamlDocuments(text).flatMap(({ objects }) => objects)).toEqual([]);
  });
});

describe("the objects of a document", () => {
  test("are itself, as JSON would have it", () => {
    const text = "kind: Pod\nspec:\n  hostNetwork: yes\n  priority: 0o17\n  8080: null\n";
    expect(objectsOf(text)).toEqual([
      ["", { kind: "Pod", spec: { hostNetwork: true, priority: 15, "8080": null } }],
    ]);
  });

  test("have what aliases and merges bring", () => {
    const text = "kind: Pod\na: &x {b: 1, c: 2}\nd: *x\ne: {<<: *x, c: 3}\n";
    const a = { b: 1, c: 2 };
    expect(objectsOf(text)).toEqual([["", { kind: "Pod", a, d: a, e: { b: 1, c: 3 } }]]);
  });

  test.each(["List", "PodList"])("are the items of a %s, with their places", (kind) => {
    const pod = { kind: "Pod" };
    const list = { kind: "List", items: [pod, pod] };
    const text = JSON.stringify({ kind, items: [pod, list, {}] });
    expect(objectsOf(text)).toEqual([
      ["/items/0", pod],
      ["/items/1/items/0", pod],
      ["/items/1/items/1", pod],
      ["/items/2", {}],
    ]);
  });

  test.each([
    ["a List without items", { kind: "List", items: null }],
    ["another kind with items", { kind: "Basket", items: [{ kind: "Pod" }] }],
  ])("are itself for %s", (_, object) => {
    expect(objectsOf(JSON.stringify(object))).toEqual([["", object]]);
  });

  test("are none for items that are no objects", () => {
    expect(objectsOf('{"kind": "List", "items": [null, 5, []]}')).toEqual([]);
  });
});

describe("a fault is told with its line and column:", () => {
  test.each([
    ["a tab", "a:\n\tb: 1\n", "2:1: a tab can not indent in YAML; use spaces"],
    ["a key twice", "a: 1\nb: 2\na: 3\n", "3:1: the map has this key already"],
    ["a wrong indent", "a:\n  b: 1\n c: 2\n", "3:1: is not indented as the lines before it"],
    [
      "a list with a wrong indent",
      "a:\n  - x\n - y\n",
      "3:1: is not indented as the lines before it",
    ],
    ["a text with a colon", "a: b: c\n", '1:4: a text with ": " in it must be quoted'],
    [
      "a colon without a space",
      "a: 1\nb:2\n",
      '2:1: is no "key: value"; a space must follow the colon',
    ],
    ["a quote that does not end", 'a: "x\n', '2:1: missing closing "quote'],
    ["a brace that does not end", '{"a": 1', "1:8: flow map must end with a }"],
    [
      "a text that begins with @",
      "a: @x\n",
      "1:4: plain value cannot start with reserved character @",
    ],
    ["an alias of nothing", "a: *x\n", "1:4: *x stands for nothing: no &x is before it"],
    [
      "an alias of what comes later",
      "a: *x\nb: &x 1\n",
      "1:4: *x stands for nothing: no &x is before it",
    ],
    ["an alias of itself", "a: &x\n  b: *x\n", "2:6: *x is within what it stands for"],
    ["a merge of a text", "a:\n  <<: text\n", "2:3: << can bring only a map or a list of maps"],
    ["a merge of texts", "a: {<<: [b]}\n", "1:5: << can bring only a map or a list of maps"],
    ["a map as a key", "? {a: 1}\n: b\n", "1:3: only a text can be a key"],
    ["a list", "# x\n- a\n", "2:1: must be an object, not a list"],
    ["a text", "hello\n", "1:1: must be an object, not a text"],
    [
      "a value of a template",
      "a: 1\nb: {{ .Values.b }}\n",
      "2:5: only a text can be a key; a template must be rendered first (helm template)",
    ],
    [
      "a condition of a template",
      "{{- if .Values.a }}\na: 1\n{{- end }}\n",
      "1:3: block collections are not allowed within flow collections; a template must be rendered first (helm template)",
    ],
  ])("%s", (_, text, fault) => {
    expect(faultsOf(text)).toEqual([`serve.yaml:${fault}`]);
  });

  test("one of each document", () => {
    expect(faultsOf("a: @x\nb: @y\n---\na: 1\n---\n- a\n")).toEqual([
      "serve.yaml:1:4: plain value cannot start with reserved character @",
      "serve.yaml:6:1: must be an object, not a list",
    ]);
  });

  test("aliases of aliases that would fill the memory", () => {
    const lines = Array.from({ length: 20 }, (_, index) => {
      const uses = index === 0 ? "1" : Array.from({ length: 9 }, () => `*x${index - 1}`).join(", ");
      return `x${index}: &x${index} [${uses}]\n`;
    });
    expect(faultsOf(lines.join(""))).toEqual(["serve.yaml:1:1: its aliases stand for too much"]);
  });

  test("in a file of Windows, too", () => {
    expect(faultsOf("\uFEFFa: 1\r\nb: @x\r\n")).toEqual([
      "serve.yaml:2:4: plain value cannot start with reserved character @",
    ]);
  });
});

test("an anchor may be used often", () => {
  const uses = Array.from({ length: 500 }, () => "- *x\n").join("");
  expect(yamlDocuments(`a: &x {b: 1}\nc:\n${uses}`)).toHaveLength(1);
});

function objectsOf(text: string): readonly unknown[] {
  return yamlDocuments(text).flatMap(({ objects }) =>
    objects.map(({ pointer, object }) => [pointer, object]),
  );
}

function faultsOf(text: string): readonly string[] {
  const parsed = parseYamlFile(text, "serve.yaml");
  return parsed.ok ? [] : parsed.faults.map(faultText);
}
