import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { allow } from "../../../src/admission/decision.ts";
import { jobKindsSchema, withJobKinds } from "../../../src/admission/job-kinds.ts";
import { CLEANERS } from "../../../src/admission/version-deletion.ts";
import type { KubeObject } from "../../../src/api/kube-types.ts";
import { listAll } from "../../../src/kube/list.ts";
import { resources, type Resource } from "../../../src/kube/resources.ts";
import { create, mergePatch, patchStatus, remove } from "../../../src/kube/write.ts";
import { createLogger } from "../../../src/telemetry/logger.ts";
import { useCluster } from "../kube/cluster.ts";
import { NAMESPACE, startReplica, type Replica } from "./replica.ts";

/** A kind of the administrator's. */
const ADDED = {
  group: "batch.example",
  version: "v1",
  kind: "TrainingRun",
  plural: "trainingruns",
  podTemplates: ["spec.workers.*.template"],
  succeeded: [{ condition: "Done" }],
};

const cluster = useCluster();
let replica: Replica;
let namespace: string;

beforeAll(async () => {
  const { api, plane } = cluster;
  await plane.kubectl(["apply", "--filename", "deploy/crds"]);
  await plane.kubectl(["wait", "--for=condition=Established", "crd", "--all"]);
  await create(api, resources.namespaces, { metadata: { name: NAMESPACE } });
  namespace = await cluster.makeNamespace();
  const jobKinds = withJobKinds(jobKindsSchema.parse([ADDED]));
  const log = createLogger({ level: "silent" });
  replica = await startReplica(api, log, () => allow("Valid"), jobKinds);
  replica.lead(`https://127.0.0.1:${replica.webhook.port}`);
  await replica.isCalled();
});

afterAll(async () => replica?.stop());

beforeEach(() => {
  replica.seen.length = 0;
});

/** The calls that came since the test began, such as `mutate CREATE Pod`. */
function calls(): readonly string[] {
  return replica.seen.map(
    ({ endpoint, request }) => `${endpoint} ${request.operation} ${request.kind.kind}`,
  );
}

let names = 0;

function named(name = `object-${(names += 1)}`, metadata: object = {}): KubeObject {
  return { metadata: { name, namespace, ...metadata } };
}

const podSpec = { containers: [{ name: "main", image: "scratch" }] };
const jobPodSpec = { ...podSpec, restartPolicy: "Never" };

const annotations = (...keys: readonly string[]) => ({
  annotations: Object.fromEntries(keys.map((key) => [key, "value"])),
});

function annotationsOfOthers(count: number): Readonly<Record<string, string>> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`a${index}`, ""]));
}

describe("a pod that is created", () => {
  test.each<[string, object, number]>([
    ["without annotations, labels or owner is not sent to us", {}, 0],
    ["with other annotations is not", annotations("example.com/a", "b"), 0],
    ["with a prefix that only begins like ours is not", annotations("model.kubedl.io.org/a"), 0],
    ["with our status alone is not", annotations("model.kubedl.io/status"), 0],
    ["with our label alone is not", { labels: { "model.kubedl.io/model-version": "digits" } }, 0],
    [
      "in kube-system is not",
      { ...annotations("model.kubedl.io/model-version"), namespace: "kube-system" },
      0,
    ],
    [
      "in our namespace is not",
      { ...annotations("model.kubedl.io/model-version"), namespace: NAMESPACE },
      0,
    ],
    ["that asks for a model is", annotations("model.kubedl.io/model-version"), 1],
    ["that exports a model is", annotations("model.kubedl.io/export", "a"), 1],
    [
      "that asks again with our status is",
      annotations("model.kubedl.io/status", "model.kubedl.io/model"),
      1,
    ],
    ["with an unknown key of ours is", annotations("model.kubedl.io/mdoel"), 1],
  ])("%s", async (_name, metadata, count) => {
    const pod = { ...named(undefined, metadata), spec: podSpec };
    await create(cluster.api, resources.pods, pod);
    expect(calls()).toEqual(Array(count).fill("mutate CREATE Pod"));
  });

  test.each([
    [256, []],
    // To look at them takes us no time, and the API server seconds.
    [257, ["mutate CREATE Pod"]],
    [40_000, ["mutate CREATE Pod"]],
  ])("with %i annotations of others leads to the calls %j", async (count, expected) => {
    const pod = { ...named(undefined, { annotations: annotationsOfOthers(count) }), spec: podSpec };
    await create(cluster.api, resources.pods, pod);
    expect(calls()).toEqual(expected);
  });

  test.each<[string, object]>([
    ["without annotations", {}],
    ["with annotations of others", annotations("example.com/a")],
    ["that asks for a model itself", annotations("model.kubedl.io/model-version")],
  ])("%s in a labelled namespace is sent to us once", async (_name, metadata) => {
    const labelled = await cluster.makeNamespace();
    const labels = { "model.kubedl.io/injection": "enabled" };
    await mergePatch(
      cluster.api,
      resources.namespaces,
      { name: labelled },
      { metadata: { labels } },
    );
    const pod = { ...named(undefined, { ...metadata, namespace: labelled }), spec: podSpec };
    await create(cluster.api, resources.pods, pod);
    expect(calls()).toEqual(["mutate CREATE Pod"]);
  });

  test("in a namespace whose label says something else is not sent to us", async () => {
    const labelled = await cluster.makeNamespace();
    const labels = { "model.kubedl.io/injection": "disabled" };
    await mergePatch(
      cluster.api,
      resources.namespaces,
      { name: labelled },
      { metadata: { labels } },
    );
    const pod = { ...named(undefined, { namespace: labelled }), spec: podSpec };
    await create(cluster.api, resources.pods, pod);
    expect(calls()).toEqual([]);
  });

  test("is no longer our business when it changes", async () => {
    const pod = {
      ...named(undefined, annotations("model.kubedl.io/model-version")),
      spec: podSpec,
    };
    await create(cluster.api, resources.pods, pod);
    replica.seen.length = 0;
    const ref = { namespace, name: pod.metadata?.name ?? "" };
    await mergePatch(cluster.api, resources.pods, ref, {
      metadata: annotations("model.kubedl.io/x"),
    });
    await remove(cluster.api, resources.pods, ref);
    expect(calls()).toEqual([]);
  });
});

describe("a job that is created", () => {
  const asks = annotations("model.kubedl.io/export");
  test.each<[string, object, object, number]>([
    ["without annotations is not sent to us", {}, {}, 0],
    ["with other annotations is not", annotations("a"), { metadata: annotations("b") }, 0],
    ["with any annotation of ours, misspelt perhaps, is", annotations("model.kubedl.io/a"), {}, 1],
    ["with the status that we write on pods is not", annotations("model.kubedl.io/status"), {}, 0],
    ["in our namespace is not", { ...asks, namespace: NAMESPACE }, {}, 0],
    ["that asks for an export is", asks, {}, 1],
    ["whose pods ask for one is", {}, { metadata: asks }, 1],
    ["when both ask it is sent once", asks, { metadata: asks }, 1],
  ])("%s", async (_name, metadata, template, count) => {
    const spec = { template: { ...template, spec: jobPodSpec } };
    const job = { ...named(undefined, metadata), spec };
    await create(cluster.api, resources.jobs, job, { dryRun: true });
    expect(calls()).toEqual(Array(count).fill("mutate CREATE Job"));
  });
});

describe("the ConfigMap of limits", () => {
  test("is sent to us when it is made, and when it says something else", async () => {
    const ref = { namespace: NAMESPACE, name: "modelhook" };
    await create(cluster.api, resources.configmaps, { metadata: ref });
    await mergePatch(cluster.api, resources.configmaps, ref, { metadata: { labels: { a: "b" } } });
    await mergePatch(cluster.api, resources.configmaps, ref, { data: { "config.yaml": "a" } });
    await remove(cluster.api, resources.configmaps, ref);
    // The API server asks again when it began with an old object out of its cache.
    expect(new Set(calls())).toEqual(
      new Set(["validate CREATE ConfigMap", "validate UPDATE ConfigMap"]),
    );
  });

  test("is the only one that is sent to us", async () => {
    const { api } = cluster;
    await create(api, resources.configmaps, { metadata: { name: "other", namespace: NAMESPACE } });
    await create(api, resources.configmaps, { metadata: { name: "modelhook", namespace } });
    expect(calls()).toEqual([]);
  });
});

/** The API server counts conditions that failed; under Ignore they would be seen nowhere else. */
async function failedConditions(): Promise<readonly string[]> {
  const text = await cluster.plane.kubectl(["get", "--raw", "/metrics"]);
  return text
    .split("\n")
    .filter(
      (line) =>
        line.startsWith("apiserver_admission_webhook_match_condition_evaluation_errors_total{") ||
        line.startsWith("apiserver_admission_match_condition_evaluation_errors_total{"),
    );
}

const ours = { metadata: annotations("model.kubedl.io/model-version") };
const exporting = annotations("model.kubedl.io/export");
const others = { metadata: annotations("example.com/a") };
const ownedBy = (controller?: boolean) => ({
  ownerReferences: [{ apiVersion: "v1", kind: "Thing", name: "a", uid: "1", controller }],
});

type Kind = readonly [
  kind: string,
  plural: string,
  group: string,
  spec: (template: object) => object,
];

const selected = (template: object) => ({
  selector: { matchLabels: { app: "a" } },
  template: {
    ...template,
    metadata: { labels: { app: "a" }, ...(template as KubeObject).metadata },
  },
});
const KINDS: readonly Kind[] = [
  ["Deployment", "deployments", "apps", selected],
  ["StatefulSet", "statefulsets", "apps", selected],
  ["DaemonSet", "daemonsets", "apps", selected],
  ["ReplicaSet", "replicasets", "apps", selected],
  [
    "CronJob",
    "cronjobs",
    "batch",
    (template) => ({
      schedule: "@daily",
      jobTemplate: { spec: { template: withNever(template) } },
    }),
  ],
  ["Job", "jobs", "batch", (template) => ({ template: withNever(template) })],
];

function withNever(template: object): object {
  return { ...template, spec: jobPodSpec };
}

describe.each(KINDS)("a %s", (kind, plural, group, specOf) => {
  const resource: Resource = { group, version: "v1", plural, kind, namespaced: true };
  const hinted = (operation: string) => [`hint ${operation} ${kind}`];
  // The mutating webhook of jobs is called for those that say something themselves.
  const byItself = kind === "Job" ? ["mutate CREATE Job"] : hinted("CREATE");

  test.each<[string, object, object, readonly string[]]>([
    ["that asks for nothing is not sent to us", {}, {}, []],
    ["with annotations of others is not", others.metadata, others, []],
    [
      "whose template has our status alone is not",
      annotations("model.kubedl.io/status"),
      { metadata: annotations("model.kubedl.io/status") },
      [],
    ],
    ["of a controller is not", ownedBy(true), ours, []],
    ["in our namespace is not", { namespace: NAMESPACE }, ours, []],
    ["in kube-system is not", { namespace: "kube-system" }, ours, []],
    ["whose pods ask for a model is, for hints", {}, ours, hinted("CREATE")],
    ["with an owner that is no controller is", ownedBy(), ours, hinted("CREATE")],
    ["with an annotation of ours itself is", ours.metadata, {}, byItself],
    ["with both is, once", ours.metadata, ours, byItself],
  ])("%s", async (_name, metadata, template, expected) => {
    const object = { ...named(undefined, metadata), spec: specOf({ ...template, spec: podSpec }) };
    await create(cluster.api, resource, object, { dryRun: true });
    expect(calls()).toEqual(expected);
  });

  test("that changes is sent to us when its spec or an annotation of ours does", async () => {
    const spec = specOf({ ...ours, spec: podSpec });
    const object = await create(cluster.api, resource, { ...named(), spec });
    const ref = { namespace, name: object.metadata?.name ?? "" };
    const after = async (change: object): Promise<readonly string[]> => {
      replica.seen.length = 0;
      await mergePatch(cluster.api, resource, ref, change);
      // The API server asks again when it began with an old object out of its cache.
      return [...new Set(calls())];
    };
    expect(await after({})).toEqual([]);
    expect(await after({ metadata: { labels: { a: "b" }, finalizers: ["a.test/b"] } })).toEqual([]);
    expect(await after(others)).toEqual([]);
    expect(await after({ metadata: annotations("model.kubedl.io/status") })).toEqual([]);
    const change =
      kind === "Job" || kind === "CronJob" ? { suspend: true } : { minReadySeconds: 5 };
    expect(await after({ spec: change })).toEqual(hinted("UPDATE"));
    // Of a Job that says something itself the mutating webhook has said all when it was created.
    expect(await after(ours)).toEqual(kind === "Job" ? [] : hinted("UPDATE"));
    replica.seen.length = 0;
    await patchStatus(cluster.api, resource, ref, { conditions: [] });
    expect(calls()).toEqual([]);
    await mergePatch(cluster.api, resource, ref, { metadata: { finalizers: null } });
    await removeAndSee(resource, ref);
    expect(calls()).toEqual([]);
  });
});

test("a Deployment with as many annotations as fit is not sent to us, and costs no condition too much", async () => {
  const many = { annotations: annotationsOfOthers(40_000) };
  const { deployments } = resources;
  const spec = selected({ metadata: many, spec: podSpec });
  const { metadata } = await create(cluster.api, deployments, { ...named(undefined, many), spec });
  const ref = { namespace, name: metadata?.name ?? "" };
  await mergePatch(cluster.api, deployments, ref, { metadata: { annotations: { a1: "changed" } } });
  await mergePatch(cluster.api, deployments, ref, { spec: { minReadySeconds: 5 } });
  expect(calls()).toEqual([]);
  expect(await failedConditions()).toEqual([]);
});

interface CustomKind {
  readonly kind: string;
  readonly group: string;
  readonly version: string;
  /** The field of the spec that holds the parts with the templates; absent where there are no templates. */
  readonly field?: string;
  /** Whether the templates are those of Jobs. */
  readonly makesJobs?: true;
  /** Whether it is of the administrator's, for which there are no hints. */
  readonly isAdded?: true;
}

describe.each<CustomKind>([
  { kind: "TFJob", group: "training.kubedl.io", version: "v1alpha1", field: "tfReplicaSpecs" },
  { kind: "TFJob", group: "kubeflow.org", version: "v1", field: "tfReplicaSpecs" },
  {
    kind: "JobSet",
    group: "jobset.x-k8s.io",
    version: "v1alpha2",
    field: "replicatedJobs",
    makesJobs: true,
  },
  { kind: "Job", group: "batch.volcano.sh", version: "v1alpha1", field: "tasks" },
  { kind: "TrainJob", group: "trainer.kubeflow.org", version: "v1alpha1" },
  {
    kind: ADDED.kind,
    group: ADDED.group,
    version: ADDED.version,
    field: "workers",
    isAdded: true,
  },
])("a $kind of $group", ({ kind, group, version, field, makesJobs, isAdded }) => {
  const plural = `${kind.toLowerCase()}s`;
  const resource: Resource = { group, version, plural, kind, namespaced: true };
  const mutated = `mutate CREATE ${kind}`;
  const hinted = `hint CREATE ${kind}`;

  beforeAll(async () => {
    const schema = { type: "object", "x-kubernetes-preserve-unknown-fields": true };
    await create(cluster.api, resources.customresourcedefinitions, {
      metadata: {
        name: `${plural}.${group}`,
        // The group of JobSet is one that Kubernetes protects.
        annotations: { "api-approved.kubernetes.io": "unapproved, for tests" },
      },
      spec: {
        group,
        scope: "Namespaced",
        names: { kind, plural, singular: kind.toLowerCase(), listKind: `${kind}List` },
        versions: [
          { name: version, served: true, storage: true, schema: { openAPIV3Schema: schema } },
        ],
      },
    } as KubeObject);
    await cluster.plane.kubectl(["wait", "--for=condition=Established", "crd", "--all"]);
  });

  async function callsFor(content: object): Promise<readonly string[]> {
    const { metadata = {}, ...rest } = content as KubeObject;
    await create(cluster.api, resource, { ...named(undefined, metadata), ...rest });
    expect(await failedConditions()).toEqual([]);
    return calls();
  }
  const inField = (value: unknown) => ({ spec: { [field ?? "templates"]: value } });
  const saying = (pods: object) => ({ template: makesJobs ? { spec: { template: pods } } : pods });

  test.each<[string, object]>([
    ["with nothing but a name", {}],
    ["with an empty spec", { spec: {} }],
    ["whose spec is null", { spec: null }],
    ["whose spec is a text", { spec: "a" }],
    ["whose annotations are null", { metadata: { annotations: null } }],
    ["whose templates are null", inField(null)],
    ["whose templates are a text", inField("a")],
    ["whose templates are none", inField([])],
    ["with a template that is null", inField({ Worker: null })],
    ["with a template that is a number", inField({ Worker: { template: 5 } })],
    ["with a template without metadata", inField({ Worker: saying({ spec: {} }) })],
    ["with metadata of a template that is null", inField([saying({ metadata: null })])],
    [
      "with annotations that are a list",
      inField({ a: saying({ metadata: { annotations: [5] } }) }),
    ],
    ["with annotations that are null", inField({ a: saying({ metadata: { annotations: null } }) })],
    ["with annotations that are a text", inField([saying({ metadata: { annotations: "a" } })])],
    ["with lists where maps should be", inField([[[1]]])],
    ["whose spec is a list", { spec: [{}] }],
    ["with a template that is a list", inField({ Worker: { template: [{}] } })],
    ["with metadata of a template that is a list", inField([saying({ metadata: [{}] })])],
    ["whose modelVersion is a list", { spec: { modelVersion: [{}] } }],
    ["with annotations of others", { metadata: others.metadata }],
    ["whose pods have annotations of others", inField({ a: saying(others) })],
    ["whose modelVersion is null", { spec: { modelVersion: null } }],
    ["with the status of ours alone", { metadata: annotations("model.kubedl.io/status") }],
    ["with our record alone", { metadata: annotations("model.kubedl.io/export-record") }],
  ])("%s is stored, and not sent to us", async (_name, content) => {
    expect(await callsFor(content)).toEqual([]);
  });

  const asksItself = isAdded ? [mutated] : [mutated, hinted];
  test.each<[string, object, readonly string[]]>([
    ["that says something in our words itself", ours, asksItself],
    ["that exports by its own annotation", { metadata: exporting }, asksItself],
    ["that exports as KubeDL's do", { spec: { modelVersion: { modelName: "a" } } }, [mutated]],
    [
      "that a controller made and that says it itself",
      { metadata: { ...exporting, ...ownedBy(true) } },
      [mutated],
    ],
  ])("%s is sent to us", async (_name, content, expected) => {
    expect(await callsFor(content)).toEqual(expected);
  });

  const hint = field === undefined || isAdded ? [] : [hinted];
  const mutate = field === undefined ? [] : [mutated];
  test.each<[string, object, readonly string[]]>([
    ["ask for a model, in a map", inField({ a: {}, b: saying(ours) }), hint],
    ["ask for a model, in a list", inField([saying(others), saying(ours)]), hint],
    [
      "export, in a map",
      inField({ a: saying(others), b: saying({ metadata: exporting }) }),
      [...mutate, ...hint],
    ],
    ["export, in a list", inField([{}, saying({ metadata: exporting })]), [...mutate, ...hint]],
    [
      "ask, of a controller that made it",
      { ...inField([saying(ours)]), metadata: ownedBy(true) },
      [],
    ],
    [
      "export, of a controller that made it",
      { ...inField([saying({ metadata: exporting })]), metadata: ownedBy(true) },
      mutate,
    ],
  ])(
    "whose pods %s is sent to us where its kind has templates",
    async (_name, content, expected) => {
      expect(await callsFor(content)).toEqual(expected);
    },
  );

  test("whose status changes is not sent to us, though it has no subresource", async () => {
    const content = { ...inField([saying({ metadata: exporting })]), metadata: exporting };
    const { metadata, ...rest } = content;
    const object = await create(cluster.api, resource, { ...named(undefined, metadata), ...rest });
    replica.seen.length = 0;
    const ref = { namespace, name: object.metadata?.name ?? "" };
    await mergePatch(cluster.api, resource, ref, { status: { phase: "Running" } });
    expect(calls()).toEqual([]);
    await mergePatch(cluster.api, resource, ref, { spec: { suspend: true } });
    expect(new Set(calls())).toEqual(new Set(isAdded ? [] : [`hint UPDATE ${kind}`]));
  });
});

/**
 * Deletes an object that stays for its finalizers, and waits until the API server's watch cache has seen that, as a list does: a
 * patch starts from there, and admits a first time what it then finds to be old.
 */
async function removeAndSee(
  resource: Resource,
  ref: { readonly namespace: string; readonly name: string },
): Promise<void> {
  await remove(cluster.api, resource, ref);
  await listAll(cluster.api, resource, { namespace: ref.namespace });
}

const versionSpec = {
  modelName: "digits",
  imageRepo: "registry.test/digits",
  storage: { nfs: { server: "nfs.test", path: "/digits" } },
};

describe.each<[string, Resource, object, object]>([
  ["Model", resources.models, {}, { spec: { description: "other" } }],
  ["ModelVersion", resources.modelversions, { spec: versionSpec }, { spec: { createdBy: "me" } }],
])("a %s", (kind, resource, content, otherSpec) => {
  const both = (operation: string) => [
    `mutate ${operation} ${kind}`,
    `validate ${operation} ${kind}`,
  ];

  test.each([
    ["without annotations", {}],
    ["with annotations", annotations("a", "model.kubedl.io/retry", "model.kubedl.io/pod")],
  ])("is sent to both endpoints when it is created %s", async (_name, metadata) => {
    await create(cluster.api, resource, { ...named(undefined, metadata), ...content });
    expect(calls()).toEqual(both("CREATE"));
  });

  const oursAndOther = annotations("model.kubedl.io/pod", "other");
  test.each<[string, object, object, readonly string[]]>([
    ["its spec changes", {}, otherSpec, both("UPDATE")],
    [
      "an annotation of ours is the first",
      {},
      { metadata: annotations("model.kubedl.io/pod") },
      both("UPDATE"),
    ],
    [
      "an annotation of ours is added",
      annotations("a"),
      { metadata: annotations("model.kubedl.io/pod") },
      both("UPDATE"),
    ],
    [
      "an annotation of ours changes",
      oursAndOther,
      { metadata: { annotations: { "model.kubedl.io/pod": "another" } } },
      both("UPDATE"),
    ],
    [
      "an annotation of ours goes",
      oursAndOther,
      { metadata: { annotations: { "model.kubedl.io/pod": null } } },
      both("UPDATE"),
    ],
    ["all annotations go", oursAndOther, { metadata: { annotations: null } }, both("UPDATE")],
    ["nothing changes", oursAndOther, {}, []],
    ["retry is set", {}, { metadata: annotations("model.kubedl.io/retry") }, []],
    [
      "retry changes beside others",
      annotations("model.kubedl.io/pod", "model.kubedl.io/retry"),
      { metadata: { annotations: { "model.kubedl.io/retry": "2" } } },
      [],
    ],
    ["another annotation changes", oursAndOther, { metadata: { annotations: { other: "2" } } }, []],
    [
      "a job is named",
      { labels: { a: "1" } },
      { metadata: { labels: { "model.kubedl.io/job-uid": "1" } } },
      both("UPDATE"),
    ],
    [
      "the job is no longer named",
      { labels: { "model.kubedl.io/job-uid": "1" } },
      { metadata: { labels: null } },
      both("UPDATE"),
    ],
    [
      "other labels change",
      {},
      { metadata: { labels: { "model.kubedl.io/model-name": "digits" } } },
      [],
    ],
    ["finalizers change", {}, { metadata: { finalizers: ["model.kubedl.io/volume"] } }, []],
  ])("that changes: when %s", async (_name, metadata, patch, expected) => {
    const object = await create(cluster.api, resource, {
      ...named(undefined, metadata),
      ...content,
    });
    replica.seen.length = 0;
    const ref = { namespace, name: object.metadata?.name ?? "" };
    await mergePatch(cluster.api, resource, ref, patch);
    expect(calls()).toEqual(expected);
  });

  test("whose status changes is not sent to us, and that goes only to the one that forbids nothing by failing", async () => {
    const object = await create(cluster.api, resource, {
      ...named(undefined, { finalizers: ["model.kubedl.io/volume"] }),
      ...content,
    });
    replica.seen.length = 0;
    const ref = { namespace, name: object.metadata?.name ?? "" };
    await patchStatus(cluster.api, resource, ref, { message: "x", latestVersion: null });
    expect(calls()).toEqual([]);
    await removeAndSee(resource, ref);
    await mergePatch(cluster.api, resource, ref, { metadata: { finalizers: null } });
    expect(calls()).toEqual([`validate DELETE ${kind}`]);
  });

  test.each(CLEANERS)("that %s deletes is not sent to us", async (user) => {
    const { plane } = cluster;
    const object = await create(cluster.api, resource, { ...named(), ...content });
    const binding = `${kind.toLowerCase()}-${CLEANERS.indexOf(user)}`;
    const role = ["--clusterrole=cluster-admin", `--user=${user}`];
    await plane.kubectl(["create", "clusterrolebinding", binding, ...role]);
    replica.seen.length = 0;
    const { name = "" } = object.metadata ?? {};
    const place = ["--namespace", namespace, `--as=${user}`];
    await plane.kubectl(["delete", resource.plural, name, ...place]);
    expect(calls()).toEqual([]);
  });

  test("with as many annotations as fit is sent to us with every change, and goes without us", async () => {
    const object = {
      ...named(undefined, {
        annotations: annotationsOfOthers(40_000),
        finalizers: ["model.kubedl.io/volume"],
      }),
      ...content,
    };
    const ref = { namespace, name: object.metadata?.name ?? "" };
    await create(cluster.api, resource, object);
    replica.seen.length = 0;
    await mergePatch(cluster.api, resource, ref, { metadata: { labels: { a: "1" } } });
    expect(new Set(calls())).toEqual(new Set(both("UPDATE")));
    await removeAndSee(resource, ref);
    replica.seen.length = 0;
    await mergePatch(cluster.api, resource, ref, { metadata: { finalizers: null } });
    expect(calls()).toEqual([]);
  });

  test("is sent to us in every namespace", async () => {
    const object = { ...named(undefined, { namespace: "kube-system" }), ...content };
    await create(cluster.api, resource, object, { dryRun: true });
    expect(calls()).toEqual(both("CREATE"));
  });
});
