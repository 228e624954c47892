import { parse } from "yaml";
import { describe, expect, test } from "vitest";
import { yamlDocuments } from "../../test/make/yaml-documents.ts";
import type { PatchOperation } from "../api/review.ts";
import { patchDocument } from "./patch-document.ts";
import { printDocument } from "./print-document.ts";

const MOUNT = { name: "kubedl-model", mountPath: "/kubedl-model", readOnly: true };
const SCRIPT = "set -e\nif [ -e .done ]; then exit 0; fi\n: > .done";

/** What a pod with a server and a sidecar is given. */
const INJECTION: readonly PatchOperation[] = [
  {
    op: "add",
    path: "/metadata/annotations/model.kubedl.io~1status",
    value: '{"delivery":"copy"}',
  },
  { op: "add", path: "/spec/volumes/-", value: { name: "kubedl-model", emptyDir: {} } },
  { op: "add", path: "/spec/containers/0/volumeMounts/-", value: MOUNT },
  { op: "add", path: "/spec/containers/0/env/-", value: { name: "KUBEDL_MODEL_PATH", value: "1" } },
  { op: "add", path: "/spec/containers/1/volumeMounts", value: [MOUNT] },
  {
    op: "add",
    path: "/spec/initContainers/0",
    value: { name: "kubedl-model-loader", command: ["/bin/sh", "-c", SCRIPT], resources: {} },
  },
];

/** A Deployment; the lines with a plus are those that an injection adds. */
const INJECTED = `# Serves digits.
apiVersion: apps/v1   # stable
kind: Deployment
metadata:
  name: serve    # the name
  labels: {app: serve,tier: "front"}


spec:
  replicas: 0o2   # two
  template:
    metadata:
      annotations:
        # which model
        model.kubedl.io/model-version: "digits-v2"   # pinned
        # prometheus.io/scrape: "true"
+        model.kubedl.io/status: '{"delivery":"copy"}'
    spec:
      # containers of the pod
      containers:
        # the server
        - name: server
          image: 'registry.example/server:1'  # ours
          args: [ "--model", "/kubedl-model" ]
          env:
            - {name: A, value: "1"}
+            - name: KUBEDL_MODEL_PATH
+              value: "1"
          volumeMounts:
            - name: tmp
              mountPath: /tmp
              # readOnly: true
+            - name: kubedl-model
+              mountPath: /kubedl-model
+              readOnly: true

        - name: sidecar # helps
          command: ["sh", "-c"]
          args:
            - |
              sleep 10   # a while
              exit
+          volumeMounts:
+            - name: kubedl-model
+              mountPath: /kubedl-model
+              readOnly: true

      initContainers:
+      - name: kubedl-model-loader
+        command:
+          - /bin/sh
+          - -c
+          - |-
+            set -e
+            if [ -e .done ]; then exit 0; fi
+            : > .done
+        resources: {}
      # waits for the database
      - name: wait
      volumes: # scratch
        - name: tmp
          emptyDir: {}
+        - name: kubedl-model
+          emptyDir: {}
      # the end
`;
const DEPLOYMENT = INJECTED.replaceAll(/^\+.*\n/gm, "");
const AFTER = INJECTED.replaceAll(/^\+/gm, "");

describe("a document that nothing was done to", () => {
  test.each([
    ["with every kind of layout", DEPLOYMENT],
    ["of Windows", ofWindows(DEPLOYMENT)],
    ["with tabs in comments", "a: 1\t# one\n\t\n# \ttwo\nb: [1,\t2]\n"],
    ["without an end", "a: |+\n  b\n\n\n"],
    ["of comments", "---\n# none\n\n"],
    ["of JSON", '{"a":1,\n\t"b" : [ ]}'],
    ["with what only few know", "? a\n: !!str b\nc: [d: e, ? f]\ng: !h\n- i\n"],
  ])("is printed as it came: %s", (_, text) => {
    expect(print(text, [])).toBe(text);
  });

  test("keeps its text when another document is changed", () => {
    const text = `${DEPLOYMENT}---   # second\n\nkind:   Pod\n---\n# none\n`;
    const after = print(text, [{ op: "add", path: "/spec", value: {} }], { index: 1 });
    expect(after).toBe(`${DEPLOYMENT}---   # second\n\nkind:   Pod\nspec: {}\n---\n# none\n`);
  });
});

describe("an injection", () => {
  test("into a Deployment changes no line, and comments stay with what they are about", () => {
    expect(print(DEPLOYMENT, INJECTION, { pointer: "/spec/template" })).toBe(AFTER);
  });

  test("into a file of Windows writes lines of Windows", () => {
    const after = print(ofWindows(DEPLOYMENT), INJECTION, { pointer: "/spec/template" });
    expect(after).toBe(ofWindows(AFTER));
  });

  test("into a List leaves the other items alone", () => {
    const after = print(inList(DEPLOYMENT), INJECTION, { pointer: "/items/1/spec/template" });
    expect(after).toBe(inList(AFTER));
  });
});

describe("what is added to", () => {
  test.each<[string, string, PatchOperation, string]>([
    [
      "a list as far in as its key is as far in",
      "volumes:\n- name: a\n  # inner\n# outer\nother: 1\n",
      { op: "add", path: "/volumes/-", value: { name: "b", items: [{ key: "c" }] } },
      "volumes:\n- name: a\n  # inner\n- name: b\n  items:\n  - key: c\n# outer\nother: 1\n",
    ],
    [
      "a document of four spaces has four spaces",
      "spec:\n    a: 1\n",
      { op: "add", path: "/spec/b", value: { c: { d: 1 } } },
      "spec:\n    a: 1\n    b:\n        c:\n            d: 1\n",
    ],
    [
      "an annotation that is not there comes where all are commented out",
      'annotations:   # ours\n  # prometheus.io/scrape: "true"\nspec: {}\n',
      { op: "add", path: "/annotations", value: { a: "b" } },
      'annotations:   # ours\n  a: b\n  # prometheus.io/scrape: "true"\nspec: {}\n',
    ],
    [
      "null keeps the comment of null",
      "annotations: null # none yet\nspec: {}\n",
      { op: "add", path: "/annotations", value: { a: "b" } },
      "annotations: # none yet\n  a: b\nspec: {}\n",
    ],
    [
      "an empty map is written in lines, as its neighbours are",
      "labels: {} # none\nspec: 1\n",
      { op: "add", path: "/labels/a", value: "b" },
      "labels: # none\n  a: b\nspec: 1\n",
    ],
    [
      "an empty list within braces stays within them",
      "spec: { volumes: [], a: 1 }\n",
      { op: "add", path: "/spec/volumes/-", value: { name: "b\nc" } },
      'spec: { volumes: [ { name: "b\\nc" } ], a: 1 }\n',
    ],
    [
      "braces of many lines gets a line",
      "spec: {\n  a: 1, # one\n  b: 2 # two\n}\n",
      { op: "add", path: "/spec/c", value: [3] },
      "spec: {\n  a: 1, # one\n  b: 2,\n  c: [3] # two\n}\n",
    ],
    [
      "braces with a last comma",
      "spec: {a: 1,}\n",
      { op: "add", path: "/spec/b", value: "c, d" },
      'spec: {a: 1, b: "c, d",}\n',
    ],
    [
      "a file without a last line end has none",
      "spec:\n  a: 1",
      { op: "add", path: "/spec/b", value: 2 },
      "spec:\n  a: 1\n  b: 2",
    ],
    [
      "what a block of text ends, with its empty lines",
      "spec:\n  a: |+\n    text\n\n\nother: 1\n",
      { op: "add", path: "/spec/b", value: 2 },
      "spec:\n  a: |+\n    text\n\n\n  b: 2\nother: 1\n",
    ],
    [
      "a map of a list item",
      "- a: 1 # one\n-   b: 2\n".replace(/^/, "list:\n"),
      { op: "add", path: "/list/1/c", value: 3 },
      "list:\n- a: 1 # one\n-   b: 2\n    c: 3\n",
    ],
    [
      "the first of a document after a mark",
      "\uFEFFa: 1\n",
      { op: "add", path: "/b", value: 2 },
      "\uFEFFa: 1\nb: 2\n",
    ],
    [
      "an anchored value keeps the anchor",
      "a: &x # one\n  b: 1\n",
      { op: "add", path: "/a/c", value: 2 },
      "a: &x # one\n  b: 1\n  c: 2\n",
    ],
  ])("%s", (_, text, operation, after) => {
    expect(print(text, [operation])).toBe(after);
  });
});

describe("what is replaced or removed", () => {
  test.each<[string, string, PatchOperation, string]>([
    [
      "keeps the comments around it",
      "# above\na: 1   # beside\n# below\nb: 2\n",
      { op: "replace", path: "/a", value: "x" },
      "# above\na: x   # beside\n# below\nb: 2\n",
    ],
    [
      "may become a list",
      "a: 1 # beside\nb: 2\n",
      { op: "replace", path: "/a", value: ["x"] },
      "a: # beside\n  - x\nb: 2\n",
    ],
    [
      "may become a line",
      "a: # beside\n  - x\nb: 2\n",
      { op: "replace", path: "/a", value: 1 },
      "a: # beside\n  1\nb: 2\n",
    ],
    [
      "may be an item of a list",
      "a:\n  # one\n  - 1 # 1\n  # two\n  - 2\n",
      { op: "replace", path: "/a/0", value: { b: 1, c: 2 } },
      "a:\n  # one\n  - b: 1 # 1\n    c: 2\n  # two\n  - 2\n",
    ],
    [
      "goes with its lines, not with the comments above",
      "a:\n  # one\n  b: 1\n  # two\n  c:\n    - 1\n    - 2 # 2\nd: 3\n",
      { op: "remove", path: "/a/c" },
      "a:\n  # one\n  b: 1\n  # two\nd: 3\n",
    ],
    ["leaves an empty map", "a:\n  b: 1\nc: 2\n", { op: "remove", path: "/a/b" }, "a: {}\nc: 2\n"],
    [
      "may be the first of an item, whose next takes its place",
      "a:\n- b: 1\n  c: 2\n",
      { op: "remove", path: "/a/0/b" },
      "a:\n- c: 2\n",
    ],
    [
      "may be within brackets",
      "a: [1,2,3] # x\n",
      { op: "remove", path: "/a/1" },
      "a: [1, 3] # x\n",
    ],
  ])("%s", (_, text, operation, after) => {
    expect(print(text, [operation])).toBe(after);
  });
});

describe("JSON stays JSON", () => {
  const add: readonly PatchOperation[] = [
    { op: "add", path: "/spec/volumes/-", value: { name: "b", emptyDir: {} } },
    { op: "add", path: "/spec/labels/x", value: 'yes\n"' },
  ];

  test.each([
    ["of two spaces", "  "],
    ["of four spaces", "    "],
    ["of tabs", "\t"],
  ])("with lines %s", (_, indent) => {
    const object = { spec: { labels: {}, volumes: [{ name: "a" }] }, last: [1] };
    const text = `${JSON.stringify(object, null, indent)}\n`;
    object.spec.volumes.push({ name: "b", emptyDir: {} } as never);
    object.spec.labels = { x: 'yes\n"' };
    expect(print(text, add)).toBe(`${JSON.stringify(object, null, indent)}\n`);
  });

  test("on one line", () => {
    const text = '{"spec":{"labels":{},"volumes":[{"name":"a"}]}}';
    const after = print(text, add);
    expect(JSON.parse(after)).toEqual({
      spec: { labels: { x: 'yes\n"' }, volumes: [{ name: "a" }, { name: "b", emptyDir: {} }] },
    });
    expect(after).not.toContain("\n");
  });

  test("with lines that somebody laid out", () => {
    const text = '{\n  "spec": {"labels": {},\n    "volumes": [ {"name": "a"} ]}\n}\n';
    expect(print(text, add)).toBe(
      '{\n  "spec": {"labels": {"x": "yes\\n\\""},\n    "volumes": [ {"name": "a"}, { "name": "b", "emptyDir": {} } ]}\n}\n',
    );
  });

  test("when it was empty", () => {
    expect(print("{}\n", [{ op: "add", path: "/a", value: [1] }])).toBe('{"a":[1]}\n');
  });
});

describe("a document that has to be written anew", () => {
  test("keeps its comments, its marks and its line ends", () => {
    const text = "\uFEFF# top\r\n--- # here\r\n? a # one\r\n: b\r\n# end\r\n";
    const after = print(text, [{ op: "replace", path: "/a", value: { c: 1 } }]);
    expect(after.replaceAll("\r\n", "")).not.toContain("\n");
    expect(after.match(/# \w+/g)?.toSorted()).toEqual(["# end", "# here", "# one", "# top"]);
    expect(parse(after)).toEqual({ a: { c: 1 } });
  });

  test("gives up comments rather than what it says", () => {
    // The library writes this comment and its list so that they can not be read again.
    const text = "a: # beside\n  []\nb: 1";
    const after = print(text, [
      { op: "remove", path: "/b" },
      { op: "add", path: "/c", value: "x\n" },
    ]);
    expect(parse(after)).toEqual({ a: [], c: "x\n" });
  });
});

function print(
  text: string,
  operations: readonly PatchOperation[],
  { index = 0, pointer = "" }: { readonly index?: number; readonly pointer?: string } = {},
): string {
  const documents = yamlDocuments(text);
  const tree = documents[index]?.tree;
  if (tree !== undefined) patchDocument(tree, pointer, operations);
  return documents.map(printDocument).join("");
}

function ofWindows(text: string): string {
  return `\uFEFF${text}`.replaceAll("\n", "\r\n");
}

function inList(text: string): string {
  const item = text.replaceAll(/^(?=.)/gm, "  ");
  return `kind: List\nitems:\n- kind: Pod # first\n-\n${item}\n- kind: Pod\n`;
}
