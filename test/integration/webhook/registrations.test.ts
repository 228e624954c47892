import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { CLEANERS } from "../../../src/admission/version-deletion.ts";
import type { KubeObject } from "../../../src/api/kube-types.ts";
import { resources, type Resource } from "../../../src/kube/resources.ts";
import { create, mergePatch, patchStatus, remove } from "../../../src/kube/write.ts";
import { createLogger } from "../../../src/telemetry/logger.ts";
import { useCluster } from "../kube/cluster.ts";
import { NAMESPACE, startReplica, type Replica } from "./replica.ts";

const cluster = useCluster();
let replica: Replica;
let namespace: string;

beforeAll(async () => {
  const { api, plane } = cluster;
  await plane.kubectl(["apply", "--filename", "deploy/crds"]);
  await plane.kubectl(["wait", "--for=condition=Established", "crd", "--all"]);
  await create(api, resources.namespaces, { metadata: { name: NAMESPACE } });
  namespace = await cluster.makeNamespace();
  replica = await startReplica(api, createLogger({ level: "silent" }));
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

  test("with as many annotations as fit is not", async () => {
    const many = Object.fromEntries(
      Array.from({ length: 40_000 }, (_, index) => [`a${index}`, ""]),
    );
    const pod = { ...named(undefined, { annotations: many }), spec: podSpec };
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
    [
      "whose pods have other annotations of ours is not",
      {},
      { metadata: annotations("model.kubedl.io/b") },
      0,
    ],
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
    expect(calls()).toEqual(["validate CREATE ConfigMap", "validate UPDATE ConfigMap"]);
  });

  test("is the only one that is sent to us", async () => {
    const { api } = cluster;
    await create(api, resources.configmaps, { metadata: { name: "other", namespace: NAMESPACE } });
    await create(api, resources.configmaps, { metadata: { name: "modelhook", namespace } });
    expect(calls()).toEqual([]);
  });
});

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
    await remove(cluster.api, resource, ref);
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

  test("is sent to us in every namespace", async () => {
    const object = { ...named(undefined, { namespace: "kube-system" }), ...content };
    await create(cluster.api, resource, object, { dryRun: true });
    expect(calls()).toEqual(both("CREATE"));
  });
});
