import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { makeExport } from "../../test/make/export.ts";
import { makeBinding } from "../../test/make/modelbinding.ts";
import { makeFailedVersion } from "../../test/make/modelversion.ts";
import { patched } from "../../test/make/patched.ts";
import { makePod, makeServingPod } from "../../test/make/pod.ts";
import { makeKind, makeTemplate, makeWorkload } from "../../test/make/workload.ts";
import { makeEnabledNamespace, makeWorld } from "../../test/make/world.ts";
import { decidePod } from "../admission/pod.ts";
import { ANNOTATIONS } from "../api/annotations.ts";
import type { KubeObject, Pod } from "../api/kube-types.ts";
import { trainingClaimName } from "../api/names.ts";
import { podTemplatesOf, templatesAt } from "../jobs/templates.ts";
import { WORKLOADS } from "../jobs/workloads.ts";
import { deepFreeze } from "../kube/freeze.ts";
import { injectionOf } from "./injection.ts";
import { snapshotIn, type World } from "./world.ts";

const NOW = 1_700_000_000_000;
const SERVES = { [ANNOTATIONS.modelVersion]: "mnist-v1" };
const EXPORTS = { [ANNOTATIONS.export]: JSON.stringify(makeExport()) };
const MISSPELT = { "model.kubedl.io/model-versoin": "mnist-v1" };
const JOB = makeKind("Job", "batch");
const NOTHING = { patches: [], said: [] };

function inject(object: KubeObject, world: World = makeWorld()) {
  return injectionOf(deepFreeze(object), { world, namespace: "team-a", now: NOW });
}

/** The object with the patches applied below their pointers. */
function injected(object: KubeObject, world?: World): KubeObject {
  return inject(object, world).patches.reduce(
    (before, { pointer, operations }) =>
      patched(
        before,
        operations.map((operation) => ({ ...operation, path: pointer + operation.path })),
      ),
    object,
  );
}

function said(object: KubeObject, world?: World): readonly string[] {
  return inject(object, world).said.map(({ level, message }) =>
    message.startsWith(level) ? message : `${level}: ${message}`,
  );
}

/** A Deployment that says nothing, with labels that a binding selects. */
function bound(): KubeObject {
  return makeWorkload(makeKind("Deployment"), {
    metadata: { labels: { app: "web" } },
    spec: makePod().spec,
  });
}

function job(template: object, own?: Readonly<Record<string, string>>): KubeObject {
  return makeWorkload(JOB, template, own);
}

/** The claim that the pods of an object mount after its injection. */
function claimOf(object: KubeObject): string | undefined {
  return /"claimName":"[^"]*"/.exec(JSON.stringify(injected(object)))?.[0];
}

test("a pod gets the very patch of the webhook", () => {
  const pod = makeServingPod();
  const world = makeWorld();
  const decision = decidePod("team-a", pod, snapshotIn(world, "team-a", pod, NOW));
  expect(inject(pod)).toEqual({
    patches: [{ pointer: "", operations: decision.allowed && decision.operations }],
    said: [],
  });
});

describe("every kind", () => {
  const withPods = WORKLOADS.filter(({ places }) => places.length > 0);

  test.each(withPods)("$group $kind gets it in each template, as a pod gets it", (kind) => {
    const object = injected(makeWorkload(kind, makeTemplate(SERVES)));
    const { spec } = injected(makeServingPod()) as Pod;
    const templates = kind.places.flatMap((place) =>
      templatesAt(
        object,
        place.makes === "pods" ? place : { ...place, path: `${place.path}.spec.template` },
      ),
    );
    expect(templates).toHaveLength(1);
    expect(templates[0]?.value["spec"]).toEqual(spec);
  });

  test.each(withPods)("$group $kind that was injected is left as it is", (kind) => {
    const object = injected(makeWorkload(kind, makeTemplate(SERVES)));
    expect(inject(object)).toEqual(NOTHING);
  });

  test.each(withPods)(
    "$group $kind whose pods are denied is left as it is, and told so",
    (kind) => {
      const { patches, said: lines } = inject(makeWorkload(kind, makeTemplate(MISSPELT)));
      expect(patches).toEqual([]);
      expect(lines).toEqual([
        {
          level: "denied",
          message: expect.stringMatching(
            /template\.metadata\.annotations\[model\.kubedl\.io\/model-versoin\]: is unknown; did you mean model\.kubedl\.io\/model-version\? Its pods will be denied$/,
          ) as string,
        },
      ]);
    },
  );

  test.each(WORKLOADS)("$group $kind is told that a key on itself has no effect", (kind) => {
    expect(said(makeWorkload(kind, makeTemplate(), SERVES))).toEqual([
      expect.stringContaining("warning: ") as string,
    ]);
  });

  test.each(withPods)("$group $kind that asks for nothing is left as it is", (kind) => {
    expect(inject(makeWorkload(kind, makeTemplate()))).toEqual(NOTHING);
  });
});

describe("an object that is left as it is, without a word:", () => {
  test.each<[what: string, object: KubeObject]>([
    ["a Service", { apiVersion: "v1", kind: "Service", metadata: { annotations: SERVES } }],
    ["a pod of another group", { ...makeServingPod(), apiVersion: "example.com/v1" }],
    ["a pod that asks for nothing", makePod()],
    ["a pod that asks for nothing, and is no pod", { apiVersion: "v1", kind: "Pod" }],
    ["an object without a type", { metadata: { name: "x" } }],
  ])("%s", (_what, object) => {
    expect(inject(object)).toEqual(NOTHING);
  });

  test.each(["kube-system", "modelhook-system"])("whatever is in %s", (namespace) => {
    for (const object of [
      makeServingPod(),
      makeWorkload(makeKind("Deployment"), makeTemplate(MISSPELT), SERVES),
    ]) {
      expect(injectionOf(object, { world: makeWorld(), namespace, now: NOW }).patches).toEqual([]);
    }
  });
});

describe("a pod is told", () => {
  test("why it is denied", () => {
    const pod = makeServingPod(({ metadata }) => {
      metadata.annotations = { ...SERVES, [ANNOTATIONS.delivery]: "link" };
    });
    expect(said(pod)).toEqual([
      'denied: metadata.annotations[model.kubedl.io/delivery]: "link" is not allowed; allowed: auto, copy, image-volume',
    ]);
  });

  test("what it is warned of, and gets its patch all the same", () => {
    const world = makeWorld((made) => void (made.versions = []));
    expect(said(makeServingPod(), world)).toEqual([
      "warning: ModelVersion mnist-v1 does not exist; the pod waits behind the scheduling gate model.kubedl.io/build",
    ]);
    expect(inject(makeServingPod(), world).patches).toHaveLength(1);
  });

  test("what no API server would take of it", () => {
    const pod = { ...makeServingPod(), spec: { containers: { name: "server" } } };
    expect(said(pod as unknown as Pod)).toEqual(["broken: spec.containers is not a list"]);
    const template = { metadata: { annotations: SERVES } };
    expect(said(makeWorkload(makeKind("Deployment"), template))).toEqual([
      "broken: spec.template.spec is missing",
    ]);
  });
});

test("quantities that YAML has as numbers count as the API server counts them", () => {
  const resources = { limits: { cpu: 1, memory: 5e8 } };
  const containers = [{ name: "server", image: "server:1", resources }];
  const object = makeWorkload(makeKind("Deployment"), makeTemplate(SERVES, { containers }));
  const loader = { requests: { cpu: "1", memory: "500000000" } };
  expect(JSON.stringify(inject(object).patches)).toContain(JSON.stringify(loader).slice(1, -2));
});

describe("a ModelBinding", () => {
  const world = makeWorld((made) => {
    made.bindings = [makeBinding()];
    made.namespaces = [makeEnabledNamespace()];
  });

  test("asks for the pods of a template that says nothing", () => {
    expect(inject(bound(), world).patches).toHaveLength(1);
  });

  test("does not without the label of the namespace", () => {
    expect(inject(bound(), { ...world, namespaces: [] })).toEqual(NOTHING);
  });

  test("is named by the faults that it is the cause of", () => {
    const versions = [makeFailedVersion()];
    expect(said(bound(), { ...world, versions })).toEqual([
      "denied: spec.template: ModelBinding web: spec.serve.modelVersion: the build of ModelVersion mnist-v1 failed: the directory is empty; its pods will be denied",
    ]);
  });
});

describe("a Job that exports", () => {
  test("gets what admission gives the Job, and its template what the pods get then", () => {
    const object = injected(job(makeTemplate(), EXPORTS)) as KubeObject & {
      readonly spec: { readonly template: Pod };
    };
    expect(object.metadata?.finalizers).toEqual(["model.kubedl.io/export"]);
    const { metadata, spec } = object.spec.template;
    expect(metadata?.annotations).toMatchObject(EXPORTS);
    expect(spec?.volumes).toEqual([
      { name: "kubedl-export", persistentVolumeClaim: { claimName: expect.any(String) as string } },
    ]);
    expect(inject(object).patches).toEqual([]);
  });

  const storage = { localStorage: { path: "/models/mnist", nodeName: "node-1" } };
  const local = { [ANNOTATIONS.export]: JSON.stringify({ ...makeExport(), storage }) };
  const claim = {
    [ANNOTATIONS.export]: JSON.stringify({
      ...makeExport(),
      storage: { persistentVolumeClaim: { claimName: "training" } },
    }),
  };
  const example =
    "note: names of volumes and claims, and the label of the job, are made from its UID, which it gets when it is created; those here are examples";

  test("is told that a name is an example while it has no UID", () => {
    expect(said(job(makeTemplate(local)))).toEqual([example]);
    expect(said(job(makeTemplate(claim)))).toEqual([example]);
  });

  test("has the names that it will have when its UID is known", () => {
    const made = job(makeTemplate(local));
    const uid = "11111111-2222-3333-4444-555555555555";
    const stored = { ...made, metadata: { ...made.metadata, uid } };
    expect(said(stored)).toEqual([]);
    const name = trainingClaimName("team-a", uid, "local:node-1:/models/mnist");
    expect(claimOf(stored)).toBe(`"claimName":"${name}"`);
  });

  test("is left as it is when it is denied, or when its pods are", () => {
    const twice = job(makeTemplate(local), claim);
    expect(inject(twice).patches).toEqual([]);
    expect(said(twice)).toEqual([
      "denied: spec.template.metadata.annotations[model.kubedl.io/export]: differs from metadata.annotations[model.kubedl.io/export]; set it once",
    ]);
    const volumes = [{ name: "kubedl-export", emptyDir: {} }];
    const clash = job(makeTemplate(claim, { volumes }));
    expect(inject(clash).patches).toEqual([]);
    expect(said(clash)).toEqual([
      'denied: spec.template.spec.volumes[0].name: "kubedl-export" is reserved for the model; name the volume differently; its pods will be denied',
    ]);
  });

  test("hears of an unknown key once", () => {
    const lines = said(job(makeTemplate({ ...claim, "model.kubedl.io/colour": "red" })));
    expect(lines).toEqual([
      expect.stringMatching(/^warning: annotation model\.kubedl\.io\/colour is unknown/) as string,
      example,
    ]);
  });

  test("is decided on in the template of a CronJob, too", () => {
    const template = { metadata: { annotations: claim }, spec: { template: makeTemplate() } };
    const cron = {
      apiVersion: "batch/v1",
      kind: "CronJob",
      metadata: { name: "train" },
      spec: { jobTemplate: template },
    };
    expect(inject(cron).patches.map(({ pointer }) => pointer)).toEqual([
      "/spec/jobTemplate",
      "/spec/jobTemplate/spec/template",
    ]);
    const parallel = { ...template, spec: { ...template.spec, parallelism: 2 } };
    expect(said({ ...cron, spec: { jobTemplate: parallel } } as KubeObject)).toEqual([
      expect.stringMatching(
        /^denied: spec\.jobTemplate\.metadata\.annotations\[model\.kubedl\.io\/export\]\.writers: .*; its jobs will be denied$/,
      ) as string,
    ]);
  });

  const eachItsOwn =
    "note: what a pod gets depends on whether it writes, and is given to each when it is made";

  test.each(["TFJob", "JobSet", "RayJob"])(
    "a %s says of its pods what only they can tell",
    (name) => {
      const kind = makeKind(name);
      const object = injected(makeWorkload(kind, makeTemplate(), claim));
      const annotations = podTemplatesOf(object, kind).map((each) => each.annotations);
      expect(annotations).toEqual([claim]);
      expect(object.metadata?.finalizers).toEqual(["model.kubedl.io/export"]);
      expect(JSON.stringify(object)).not.toContain("kubedl-export");
      expect(said(object)).toEqual([eachItsOwn]);
    },
  );

  test("a Job of several numbered pods says so, too", () => {
    const made = job(makeTemplate(claim));
    const several = { completions: 2, parallelism: 2, completionMode: "Indexed" };
    const object = { ...made, spec: { ...(made as { spec?: object }).spec, ...several } };
    expect(inject(object).patches.map(({ pointer }) => pointer)).toEqual([""]);
    expect(said(object)).toEqual([expect.stringMatching(/^warning: 1 of 2 pods/), eachItsOwn]);
  });

  test("whose kind nobody knows is denied", () => {
    const [line] = said(makeWorkload(makeKind("Deployment"), makeTemplate(claim)));
    expect(line).toMatch(
      /^denied: spec\.template\..* the pod belongs to a ReplicaSet \(apps\/v1\)/,
    );
  });
});

test("whatever stands in an object, it is decided on or refused, and nothing throws", () => {
  const anything = fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<unknown>;
  const annotations = fc.oneof(fc.constant({ ...SERVES }), fc.constant({ ...EXPORTS }), anything);
  const metadata = fc.oneof(fc.record({ annotations, labels: anything, uid: anything }), anything);
  const spec = fc.oneof(fc.record({ containers: anything, volumes: anything }), anything);
  const template = fc.oneof(fc.record({ metadata, spec }), anything);
  const kinds = WORKLOADS.filter(({ places }) => places.length > 0);
  fc.assert(
    fc.property(fc.constantFrom(...kinds), template, metadata, (kind, made, own) => {
      const workload = { ...makeWorkload(kind, made as object), metadata: own };
      const pod = { apiVersion: "v1", kind: "Pod", ...(made as object) };
      for (const object of [workload, pod]) {
        const { patches, said: lines } = inject(object as KubeObject);
        // What is broken is not changed.
        expect(lines.some(({ level }) => level === "broken") && patches.length > 0).toBe(false);
      }
    }),
    { numRuns: 2000 },
  );
});
