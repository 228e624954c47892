import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { makeExport } from "../../test/make/export.ts";
import { parseExport, parseResources } from "./annotations.ts";

/** The fields and messages of a text that can not be read. */
function faultsOf(text: string): readonly string[] {
  const parsed = parseExport(text);
  return parsed.ok ? [] : parsed.faults.map(({ field, message }) => `${field}: ${message}`);
}

function exportWith(change: object): string {
  return JSON.stringify({ ...makeExport(), ...change });
}

describe("parseExport", () => {
  test("reads JSON", () => {
    expect(parseExport(JSON.stringify(makeExport()))).toEqual({ ok: true, value: makeExport() });
  });

  test("reads YAML", () => {
    const text = `
      modelName: mnist
      imageRepo: registry.example/models/mnist
      storage:
        localStorage: { path: /models/mnist, nodeName: node-1 }
    `;
    expect(parseExport(text)).toEqual({ ok: true, value: makeExport() });
  });

  test("reads every field of the annotation", () => {
    const intent = makeExport((each) => {
      each.imageTag = "v1";
      each.createdBy = "alice";
      each.builder = { engine: "kaniko", baseImage: "busybox", pushSecret: { name: "push" } };
      each.writers = "all";
      each.clean = true;
    });
    expect(parseExport(JSON.stringify(intent))).toEqual({ ok: true, value: intent });
  });

  test.each([
    ["", ": null must be an object"],
    ["null", ": null must be an object"],
    ["just a text", `: "just a text" must be an object`],
    ["[1, 2]", ": a list must be an object"],
    ["{", ": is neither JSON nor YAML: Flow map must end with a } at line 1, column 2"],
    [
      "a: b: c",
      ": is neither JSON nor YAML: Nested mappings are not allowed in compact mappings at line 1, column 4",
    ],
    [
      "a: 1\n---\nb: 1",
      ": is neither JSON nor YAML: Source contains multiple documents at line 2, column 1",
    ],
    ["x: &x 1\ny: *x", ": is neither JSON nor YAML: Alias resolution is disabled"],
    ["x".repeat(16_385), ": has 16385 characters; at most 16384 are allowed"],
    [exportWith({ modelName: undefined }), "modelName: is required"],
    [
      exportWith({ modelName: "m".repeat(53) }),
      "modelName: has 53 characters; at most 52 are allowed",
    ],
    [exportWith({ imageRepo: "" }), "imageRepo: must not be empty"],
    [exportWith({ imageTag: 1.5 }), "imageTag: 1.5 must be a string"],
    [exportWith({ storage: undefined }), "storage: is required"],
    [
      exportWith({ storage: { localStorage: null } }),
      "storage.localStorage: null must be an object",
    ],
    [
      exportWith({ storage: { localStorage: { path: "/models" } } }),
      "storage.localStorage.nodeName: is required",
    ],
    [exportWith({ writers: "some" }), `writers: "some" is not allowed; allowed: all`],
    [exportWith({ clean: "yes" }), `clean: "yes" must be true or false`],
    [
      exportWith({ builder: { engine: "docker" } }),
      `builder.engine: "docker" is not allowed; allowed: kaniko, direct`,
    ],
    [
      exportWith({ tag: "v1" }),
      "tag: is unknown; allowed: modelName, createdBy, imageRepo, imageTag, storage, builder, writers, clean",
    ],
    [
      exportWith({ storage: { persistentVolumeClaim: { claimName: "c", subpath: "x" } } }),
      "storage.persistentVolumeClaim.subpath: is unknown; allowed: claimName, subPath, mountPath; did you mean subPath?",
    ],
    [
      exportWith({ storage: { constructor: {} } }),
      "storage.constructor: is unknown; allowed: localStorage, nfs, AWSEfs, persistentVolumeClaim",
    ],
    [
      `{"__proto__": {"clean": true}, ${exportWith({}).slice(1)}`,
      "__proto__: is unknown; allowed: modelName, createdBy, imageRepo, imageTag, storage, builder, writers, clean",
    ],
  ])("refuses %s", (text, fault) => {
    expect(faultsOf(text)).toEqual([fault]);
  });

  test("names every fault at once", () => {
    expect(faultsOf("{ imageTag: 1, tag: v1 }")).toEqual([
      "modelName: is required",
      "imageRepo: is required",
      "imageTag: 1 must be a string",
      "storage: is required",
      "tag: is unknown; allowed: modelName, createdBy, imageRepo, imageTag, storage, builder, writers, clean",
    ]);
  });

  test.each(["[", "{a: ", "- ", "? ", '{"a":', "!a "])("survives %j all the way down", (text) => {
    expect(faultsOf(text.repeat(16_384 / text.length)).join()).toContain(
      "is neither JSON nor YAML",
    );
  });

  test("takes no keys but texts: to print nested ones takes minutes", () => {
    expect(parseExport("? ".repeat(300))).toMatchObject({
      ok: false,
      faults: [{ message: "is neither JSON nor YAML: A key is no text at line 1, column 599" }],
    });
  });

  test("lets a key named __proto__ change nothing", () => {
    parseExport(`{"__proto__": {"polluted": true}}`);
    expect({}).not.toHaveProperty("polluted");
  });

  test("never throws", () => {
    const text = fc.oneof(fc.string({ unit: "binary" }), fc.json());
    expect(() => fc.assert(fc.property(text, (each) => void parseExport(each)))).not.toThrow();
  });
});

describe("parseResources", () => {
  test("reads texts and numbers, as the API does", () => {
    const text = `{"requests": {"cpu": 1, "memory": "64Mi"}, "limits": {"cpu": 0.5}}`;
    expect(parseResources(text)).toEqual({
      ok: true,
      value: { requests: { cpu: "1", memory: "64Mi" }, limits: { cpu: "0.5" } },
    });
  });

  test.each([
    ["cpu: 1", "", /^is not JSON such as \{"limits":\{"memory":"64Mi"\}\}: Unexpected token/],
    ["null", "", /^null must be an object$/],
    ["[]", "", /^a list must be an object$/],
    [`{"requests": null}`, "requests", /^null must be an object$/],
    [`{"limits": {"cpu": true}}`, "limits.cpu", /^true must be a quantity, such as 100m or 64Mi$/],
    [`{"claims": []}`, "claims", /^is unknown; allowed: requests, limits$/],
  ])("refuses %s", (text, field, message) => {
    expect(parseResources(text)).toMatchObject({
      ok: false,
      faults: [{ field, message: expect.stringMatching(message) as unknown }],
    });
  });

  test("never throws", () => {
    const text = fc.oneof(fc.string({ unit: "binary" }), fc.json());
    expect(() => fc.assert(fc.property(text, (each) => void parseResources(each)))).not.toThrow();
  });
});
