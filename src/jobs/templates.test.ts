import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { deepFreeze } from "../kube/freeze.ts";
import { makeJobKind } from "../../test/make/workload.ts";
import { BATCH_JOB } from "./kinds.ts";
import { pods } from "./places.ts";
import { jobOf, podOf, podTemplatesOf, templatesAt } from "./templates.ts";
import { WORKLOADS } from "./workloads.ts";

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
    expect(jobOf({ spec }, "NonIndexed").spec?.completionMode).toBe("Indexed");
    expect(jobOf({}, "Indexed").spec?.completionMode).toBe("Indexed");
    expect(jobOf({}).spec?.completionMode).toBeUndefined();
  });
});

describe("the templates of pods", () => {
  const annotated = { metadata: { annotations: { a: "b", c: 5 } } };

  test("are those of the job itself, with what an annotation needs", () => {
    const tfReplicaSpecs = {
      Worker: { template: annotated },
      Chief: { template: { metadata: {} } },
      PS: { template: { metadata: null } },
      Evaluator: {},
    };
    const found = podTemplatesOf(deepFreeze({ spec: { tfReplicaSpecs } }), makeJobKind("TFJob"));
    expect(found).toEqual([
      { ...replica("Worker"), hasMetadata: true, annotations: { a: "b" } },
      { ...replica("Chief"), hasMetadata: true, annotations: undefined },
      { ...replica("PS"), hasMetadata: false, annotations: undefined },
    ]);
  });

  test("are in the templates of Jobs, which are known, too", () => {
    const spec = { parallelism: 2, template: annotated };
    const replicatedJobs = [
      { name: "a", template: { spec } },
      { name: "b", template: { spec: { template: {} } } },
    ];
    const found = podTemplatesOf(deepFreeze({ spec: { replicatedJobs } }), makeJobKind("JobSet"));
    expect(found).toEqual([
      {
        ...jobTemplate(0),
        hasMetadata: true,
        annotations: { a: "b" },
        job: jobOf({ spec }, "Indexed"),
      },
      {
        ...jobTemplate(1),
        hasMetadata: false,
        annotations: undefined,
        job: jobOf({ spec: { template: {} } }, "Indexed"),
      },
    ]);
  });

  test.each([{}, { spec: null }, { spec: {} }, { spec: { template: null } }])(
    "are none in the template of a Job %j",
    (template) => {
      const object = deepFreeze({ spec: { replicatedJobs: [{ name: "a", template }] } });
      expect(podTemplatesOf(object, makeJobKind("JobSet"))).toEqual([]);
    },
  );

  test("are none where a runtime has them", () => {
    expect(podTemplatesOf(deepFreeze({ spec: {} }), makeJobKind("TrainJob"))).toEqual([]);
  });

  test("are in a Job that was written without metadata", () => {
    expect(podTemplatesOf(deepFreeze({ spec: { template: {} } }), BATCH_JOB)).toEqual([
      {
        path: "spec.template",
        pointer: "/spec/template",
        hasMetadata: false,
        annotations: undefined,
      },
    ]);
  });
});

test("no JSON makes it throw", () => {
  const part = fc.oneof(fc.jsonValue(), fc.constant(undefined));
  const template = fc.oneof(part, fc.record({ metadata: part, spec: part }));
  const spec = fc.oneof(
    part,
    fc.record({
      template,
      jobTemplate: template,
      tasks: fc.oneof(fc.array(template), part),
      replicatedJobs: fc.array(fc.record({ template: fc.record({ spec: template }) })),
    }),
  );
  const places = WORKLOADS.flatMap((row) => row.places);
  expect(() =>
    fc.assert(
      fc.property(fc.oneof(part, fc.record({ spec })), (object) => {
        for (const { value } of places.flatMap((place) => templatesAt(object, place))) {
          podOf(value);
          jobOf(value);
        }
        for (const row of WORKLOADS) podTemplatesOf(object, row);
      }),
    ),
  ).not.toThrow();
});

function replica(name: string): object {
  const path = `spec.tfReplicaSpecs.${name}.template`;
  return { path, pointer: `/${path.replaceAll(".", "/")}` };
}

function jobTemplate(index: number): object {
  return {
    path: `spec.replicatedJobs[${index}].template.spec.template`,
    pointer: `/spec/replicatedJobs/${index}/template/spec/template`,
  };
}
