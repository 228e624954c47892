import { onTestFinished, expect, test, vi } from "vitest";
import { startKindWatches } from "../../../src/controller/kind-watches.ts";
import { createAdmissionStores } from "../../../src/gather/admission-stores.ts";
import { createStores } from "../../../src/gather/stores.ts";
import type { KubeObject } from "../../../src/api/kube-types.ts";
import type { JobKind } from "../../../src/jobs/job-kind.ts";
import { BATCH_JOB, JOB_KINDS } from "../../../src/jobs/kinds.ts";
import { apiVersionOf } from "../../../src/api/api-version.ts";
import { connect } from "../../../src/kube/client.ts";
import { startInformer } from "../../../src/kube/informer.ts";
import { resources } from "../../../src/kube/resources.ts";
import { create, mergePatch, remove } from "../../../src/kube/write.ts";
import { makeJobKind } from "../../make/workload.ts";
import { startFaultyProxy } from "../../faults/proxy.ts";
import { makeLog, useCluster } from "./cluster.ts";

const cluster = useCluster();
const LABELS = { exporting: "yes" };
const SOON = { timeout: 20_000, interval: 50 };

/** The watches of the jobs of every kind, through a proxy that remembers what was asked. */
async function startWatches() {
  const { plane, directory } = cluster;
  const proxy = await startFaultyProxy({ kubeconfig: plane.kubeconfig, directory });
  const api = await connect({ kubeconfigPath: proxy.kubeconfig });
  const stop = new AbortController();
  const { exporters } = createStores(createAdmissionStores(), JOB_KINDS);
  const log = makeLog();
  const watches = startKindWatches(
    exporters,
    ({ kind, store }, signal) =>
      startInformer(
        api,
        { ...kind, namespaced: true },
        { store, labelSelector: "exporting=yes", log, signal },
      ),
    { api, log, signal: stop.signal },
  );
  onTestFinished(async () => {
    stop.abort(new Error("the test is over"));
    await watches.stopped;
    await api.close();
    await proxy.stop();
  });
  await watches.synced;
  return {
    proxy,
    log,
    /** Names of the objects of a kind that are known. */
    namesOf(of: JobKind): readonly (string | undefined)[] {
      const store = exporters.stores.find(({ kind }) => kind === of)?.store;
      return store?.list().map(({ metadata }) => metadata?.name) ?? [];
    },
    /** What was asked below a group and version. */
    askedOf: (of: JobKind): readonly string[] =>
      proxy.seen
        .map(({ url }) => url)
        .filter((url) => url.startsWith(`/apis/${apiVersionOf(of)}/`)),
  };
}

/** Installs the definition of a kind, which serves these versions; it goes with the test. */
async function install(
  { group, kind, plural }: JobKind,
  ...served: readonly string[]
): Promise<void> {
  const name = `${plural}.${group}`;
  const schema = { type: "object", "x-kubernetes-preserve-unknown-fields": true };
  await create(cluster.api, resources.customresourcedefinitions, {
    metadata: {
      name,
      annotations: { "api-approved.kubernetes.io": "unapproved, for tests" },
    },
    spec: {
      group,
      scope: "Namespaced",
      names: { kind, plural, singular: kind.toLowerCase(), listKind: `${kind}List` },
      versions: served.map((version, index) => ({
        name: version,
        served: true,
        storage: index === 0,
        schema: { openAPIV3Schema: schema },
      })),
    },
  } as KubeObject);
  onTestFinished(async () => uninstall({ group, plural }));
  await cluster.plane.kubectl(["wait", "--for=condition=Established", "crd", name]);
}

async function uninstall({ group, plural }: Pick<JobKind, "group" | "plural">): Promise<void> {
  await cluster.plane.kubectl(["delete", "crd", `${plural}.${group}`, "--ignore-not-found"]);
}

/** Makes an object; its kind may be served a moment later than its definition says. */
async function add(kind: JobKind, namespace: string, name: string, labels = LABELS): Promise<void> {
  const metadata = { namespace, name, labels };
  const resource = { ...kind, namespaced: true };
  await vi.waitFor(async () => create(cluster.api, resource, { metadata }), SOON);
}

test("a kind whose definition comes later is watched from then on, and its objects are found", async () => {
  const kind = makeJobKind("JobSet");
  const namespace = await cluster.makeNamespace();
  const watches = await startWatches();
  expect(watches.askedOf(kind)).toEqual([]);
  await install(kind, kind.version);
  await add(kind, namespace, "first");
  await vi.waitFor(() => expect(watches.namesOf(kind)).toEqual(["first"]), SOON);
  await add(kind, namespace, "second");
  await vi.waitFor(() => expect(watches.namesOf(kind)).toEqual(["first", "second"]), SOON);
});

test("a kind that is there already is known, those of its objects that are selected, when the watches have synced", async () => {
  const kind = makeJobKind("RayJob");
  const namespace = await cluster.makeNamespace();
  await install(kind, kind.version);
  await add(kind, namespace, "there");
  await add(kind, namespace, "other", { exporting: "no" });
  const watches = await startWatches();
  expect(watches.namesOf(kind)).toEqual(["there"]);
});

test("a kind whose definition is deleted has no objects, is asked for no more, and comes again", async () => {
  const kind = makeJobKind("TFJob", "training.kubedl.io/v1alpha1");
  const namespace = await cluster.makeNamespace();
  await install(kind, kind.version);
  await add(kind, namespace, "first");
  const watches = await startWatches();
  expect(watches.namesOf(kind)).toEqual(["first"]);

  await uninstall(kind);
  await vi.waitFor(() => expect(watches.namesOf(kind)).toEqual([]), SOON);
  await vi.waitFor(() => {
    const open = watches.proxy.watches().filter(({ url }) => url.includes("/tfjobs"));
    expect(open).toEqual([]);
  }, SOON);

  await install(kind, kind.version);
  await add(kind, namespace, "again");
  await vi.waitFor(() => expect(watches.namesOf(kind)).toEqual(["again"]), SOON);
});

test("a version that is not served is not asked for, until it is", async () => {
  const [old, current] = [
    makeJobKind("MPIJob", "kubeflow.org/v1"),
    makeJobKind("MPIJob", "kubeflow.org/v2beta1"),
  ];
  const namespace = await cluster.makeNamespace();
  await install(current, current.version, old.version);
  const name = `${current.plural}.${current.group}`;
  const serve = async (...served: readonly boolean[]) =>
    cluster.plane.kubectl([
      "patch",
      "crd",
      name,
      "--type=json",
      "--patch",
      JSON.stringify(
        served.map((value, index) => ({
          op: "replace",
          path: `/spec/versions/${index}/served`,
          value,
        })),
      ),
    ]);
  await serve(true, false);
  await add(current, namespace, "train");
  const watches = await startWatches();
  expect(watches.namesOf(current)).toEqual(["train"]);
  expect(watches.askedOf(old)).toEqual([]);

  await serve(true, true);
  await vi.waitFor(() => expect(watches.namesOf(old)).toEqual(["train"]), SOON);
});

test("kinds that the cluster does not have cause no request, whatever else is defined", async () => {
  const other: JobKind = {
    ...makeJobKind("JobSet"),
    group: "example.com",
    kind: "Other",
    plural: "others",
  };
  await install(other, other.version);
  const watches = await startWatches();
  await mergePatch(
    cluster.api,
    resources.customresourcedefinitions,
    { name: "others.example.com" },
    { metadata: { labels: { changed: "yes" } } },
  );
  await remove(cluster.api, resources.customresourcedefinitions, { name: "others.example.com" });
  // A Job that is seen shows that whatever those began has had its time.
  const namespace = await cluster.makeNamespace();
  const template = { spec: { containers: [{ name: "a", image: "a" }], restartPolicy: "Never" } };
  const metadata = { namespace, name: "train", labels: LABELS };
  await create(cluster.api, resources.jobs, { metadata, spec: { template } });
  await vi.waitFor(() => expect(watches.namesOf(BATCH_JOB)).toEqual(["train"]), SOON);
  const paths = new Set(watches.proxy.seen.map(({ url }) => url.replace(/\?.*/, "")));
  expect(paths).toEqual(
    new Set(["/apis/apiextensions.k8s.io/v1/customresourcedefinitions", "/apis/batch/v1/jobs"]),
  );
});

test("a definition that can not be read is read again", async () => {
  const kind = makeJobKind("TrainJob");
  const namespace = await cluster.makeNamespace();
  const watches = await startWatches();
  const path = `/customresourcedefinitions/${kind.plural}.${kind.group}`;
  const broken = { kind: "Status", code: 500, reason: "InternalError", message: "broken" };
  let isBroken = true;
  const hits = watches.proxy.fault(
    ({ url }) => isBroken && url.includes(path),
    { kind: "answer", status: 500, body: broken },
    1e9,
  );
  await install(kind, kind.version);
  await add(kind, namespace, "train");
  expect(hits()).toBeGreaterThan(0);
  expect(watches.namesOf(kind)).toEqual([]);
  // Nothing changes any more: what finds it now is the look after a pause.
  isBroken = false;
  await vi.waitFor(() => expect(watches.namesOf(kind)).toEqual(["train"]), SOON);
  expect(watches.log.lines.map(({ message }) => message)).toContain(
    "A kind of jobs can not be looked at; trying again",
  );
});
