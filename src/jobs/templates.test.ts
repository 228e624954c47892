import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { deepFreeze } from "../kube/freeze.ts";
import { jobOf, podOf, templatesAt } from "./templates.ts";
import { WORKLOADS, type TemplatePlace } from "./workloads.ts";

const pods = (path: string): TemplatePlace => ({ path, makes: "pods", owner: "itself" });
const REPLICAS = pods("spec.replicas.*.template");

describe("a template is found", () => {
  const template = { metadata: {} };
  test.each<[string, string, object, readonly (readonly [path: string, pointer: string])[]]>([
    ["at a plain path", "spec.template", { template }, [["spec.template", "/spec/template"]]],
    [
      "in every value of a map",
      REPLICAS.path,
      { replicas: { Worker: { template }, "a/b": { template } } },
      [
        ["spec.replicas.Worker.template", "/spec/replicas/Worker/template"],
        ["spec.replicas.a/b.template", "/spec/replicas/a~1b/template"],
      ],
    ],
    [
      "in every item of a list",
      REPLICAS.path,
      { replicas: [{ template }, {}, { template }] },
      [
        ["spec.replicas[0].template", "/spec/replicas/0/template"],
        ["spec.replicas[2].template", "/spec/replicas/2/template"],
      ],
    ],
  ])("%s", (_, path, spec, places) => {
    const found = templatesAt(deepFreeze({ spec }), pods(path));
    expect(found).toEqual(places.map(([at, pointer]) => ({ path: at, pointer, value: template })));
  });
});

describe("no template is found where there is", () => {
  test.each<[string, unknown]>([
    ["nothing", undefined],
    ["a text", "spec"],
    ["no spec", {}],
    ["a spec that is null", { spec: null }],
    ["a spec that is a list", { spec: [] }],
    ["null for replicas", { spec: { replicas: null } }],
    ["a number for replicas", { spec: { replicas: 3 } }],
    ["a text for replicas", { spec: { replicas: "template" } }],
    ["null for a replica", { spec: { replicas: { Worker: null } } }],
    ["a list of lists", { spec: { replicas: [[{ template: {} }]] } }],
    ["a number for a template", { spec: { replicas: { Worker: { template: 5 } } } }],
    ["a list for a template", { spec: { replicas: { Worker: { template: [] } } } }],
    ["a template that it only inherits", { spec: Object.create({ replicas: [{ template: {} }] }) }],
  ])("%s", (_, object) => {
    expect(templatesAt(object, REPLICAS)).toEqual([]);
  });
});

describe("of a template", () => {
  test("the pod has what decides, and no more", () => {
    const template = {
      metadata: { annotations: { a: "b" }, labels: { c: "d" }, name: "x" },
      spec: {
        containers: [
          {
            name: "main",
            image: "i",
            volumeMounts: [{ name: "v", mountPath: "/v", subPath: "s" }],
          },
        ],
        initContainers: [{ name: "init" }],
        volumes: [
          { name: "v", emptyDir: {} },
          { name: "i", image: { reference: "r", pullPolicy: "Always" } },
        ],
        nodeName: "node-1",
        os: { name: "windows" },
        nodeSelector: { e: "f" },
      },
    };
    expect(podOf(deepFreeze(template))).toEqual({
      metadata: { annotations: { a: "b" }, labels: { c: "d" } },
      spec: {
        containers: [
          { name: "main", volumeMounts: [{ name: "v", mountPath: "/v", subPath: "s" }] },
        ],
        initContainers: [{ name: "init", volumeMounts: [] }],
        volumes: [{ name: "v" }, { name: "i", image: { reference: "r" } }],
        nodeName: "node-1",
        os: { name: "windows" },
        nodeSelector: { e: "f" },
      },
    });
  });

  test("parts of another shape are left out, and indexes stay", () => {
    const template = {
      metadata: { annotations: { a: 5, b: "c", d: null }, labels: [] },
      spec: { containers: [null, { name: 5, volumeMounts: "x" }], volumes: {}, nodeName: 7, os: 1 },
    };
    const nameless = { name: "", volumeMounts: [] };
    expect(podOf(deepFreeze(template))).toEqual({
      metadata: { annotations: { b: "c" }, labels: {} },
      spec: {
        containers: [nameless, nameless],
        initContainers: [],
        volumes: [],
        nodeSelector: {},
      },
    });
  });

  test("the job has what decides on an export", () => {
    const spec = { completions: 2, parallelism: 3, completionMode: "Indexed", suspend: true };
    const { template, ...rest } = jobOf(deepFreeze({ spec })).spec ?? {};
    expect(rest).toEqual({ completions: 2, parallelism: 3, completionMode: "Indexed" });
    expect(template?.metadata).toEqual({ annotations: {}, labels: {} });
  });
});

test("no JSON makes it throw", () => {
  const part = fc.oneof(fc.jsonValue(), fc.constant(undefined));
  const template = fc.oneof(part, fc.record({ metadata: part, spec: part }));
  const spec = fc.oneof(
    part,
    fc.record({ template, jobTemplate: template, tasks: fc.oneof(fc.array(template), part) }),
  );
  const places = WORKLOADS.flatMap((row) => row.places);
  expect(() =>
    fc.assert(
      fc.property(fc.oneof(part, fc.record({ spec })), (object) => {
        for (const { value } of places.flatMap((place) => templatesAt(object, place))) {
          podOf(value);
          jobOf(value);
        }
      }),
    ),
  ).not.toThrow();
});
