import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ControlPlane } from "../../deploy/local/control-plane.ts";
import type { Job, KubeObject, Pod } from "../../src/api/kube-types.ts";
import { fieldAt } from "../../src/jobs/field.ts";
import { makeJobKind } from "../make/workload.ts";
import { answer } from "./answer.ts";
import {
  NODE,
  asking,
  exportOf,
  exportedBy,
  gatesOf,
  installKind,
  isKept,
  jobOf,
  ownedBy,
  placeOf,
  recordOf,
  say,
  trainingTemplate,
  variableOf,
  versionNameOf,
} from "./exporting.ts";
import { addNode, eventsOn, eventually, list, read } from "./kubelet.ts";
import { startModelhook, startPlane, type RunningModelhook } from "./modelhook.ts";

const SOON = { timeout: 20_000 };
const EXPORT = "model.kubedl.io/export";
const CLAIM = expect.stringMatching(/^mh-[0-9a-f]{16}$/) as string;

let plane: ControlPlane;
let modelhook: RunningModelhook;

/** The operators of these kinds come when modelhook runs already. */
beforeAll(async () => {
  plane = await startPlane();
  modelhook = await startModelhook(plane);
  await addNode(plane, NODE);
  for (const kind of [
    makeJobKind("JobSet"),
    makeJobKind("TFJob", "kubeflow.org/v1"),
    makeJobKind("TFJob", "training.kubedl.io/v1alpha1"),
  ]) {
    await installKind(plane, kind);
  }
});
afterAll(async () => {
  await modelhook?.kill();
  await plane?.stop();
});

/** The part of a JobSet that is read. */
interface JobSet extends KubeObject {
  readonly spec?: { readonly replicatedJobs: readonly { readonly template: Job }[] };
}

/** What each operator writes into the status of a job that has succeeded. */
function ended(type: string): object {
  const lastTransitionTime = "2026-01-01T01:00:00Z";
  const conditions = [{ type, status: "True", reason: type, message: "", lastTransitionTime }];
  return { conditions };
}

/** The template of the first Jobs of a JobSet. */
function templateOf(jobset: JobSet | undefined): Job["spec"] {
  return jobset?.spec?.replicatedJobs[0]?.template.spec;
}

async function liveJobSet(): Promise<JobSet | undefined> {
  return read(plane, "jobset", "sharded");
}

function indexOf({ metadata }: Pod): number {
  return Number(metadata?.labels?.["batch.kubernetes.io/job-completion-index"]);
}

/** The pods of the JobSet that are not being deleted, by their index. */
async function shards(): Promise<readonly Pod[]> {
  const pods = await list<Pod>(plane, "pods", "jobset.sigs.k8s.io/jobset-name=sharded");
  return pods
    .filter(({ metadata }) => metadata?.deletionTimestamp === undefined)
    .toSorted((a, b) => indexOf(a) - indexOf(b));
}

function replicas(count: number): object {
  return { replicas: count, template: trainingTemplate() };
}

/** The Job that its operator makes of its first template, and makes anew at a restart. */
async function makeJob(): Promise<void> {
  const jobset = await liveJobSet();
  const labels = {
    "jobset.sigs.k8s.io/jobset-name": "sharded",
    "jobset.sigs.k8s.io/replicatedjob-name": "workers",
    "jobset.sigs.k8s.io/job-index": "0",
  };
  const spec = templateOf(jobset);
  const pods = spec?.template ?? {};
  const metadata = { name: "sharded-workers-0", labels, ...ownedBy(jobset ?? {}) };
  const made = await answer(plane, {
    ...jobOf("sharded-workers-0"),
    metadata,
    spec: {
      ...spec,
      template: { ...pods, metadata: { ...pods.metadata, labels } },
    },
  });
  expect(made).toBe("job.batch/sharded-workers-0 created");
}

describe("a JobSet that exports", () => {
  const intent = exportOf("of-a-jobset");
  let claim: string | undefined;

  test("is held, and the templates of its Jobs get the annotation", async () => {
    const spec = {
      completions: 2,
      parallelism: 2,
      completionMode: "Indexed",
      template: trainingTemplate(),
    };
    const jobset = {
      apiVersion: "jobset.x-k8s.io/v1alpha2",
      kind: "JobSet",
      metadata: { name: "sharded", annotations: asking(intent) },
      spec: { replicatedJobs: [{ name: "workers", replicas: 1, template: { spec } }] },
    };
    expect(await answer(plane, jobset)).toMatch(
      /^Warning: 1 of 2 pods writes the model \(index 0 of workers, localStorage\); /,
    );
    const stored = await liveJobSet();
    expect(stored?.metadata).toMatchObject({ finalizers: [EXPORT], labels: { [EXPORT]: "true" } });
    expect(templateOf(stored)?.template.metadata).toEqual({ annotations: asking(intent) });
  });

  test("has Jobs that are not held, and pods of which the first writes and the other has scratch space", async () => {
    await makeJob();
    expect((await read<Job>(plane, "job", "sharded-workers-0"))?.metadata).not.toMatchObject({
      labels: { [EXPORT]: "true" },
    });
    await eventually("two pods", async () => (await shards()).length === 2);
    const jobset = await liveJobSet();
    for (const { metadata } of await shards()) {
      expect(metadata?.labels).toMatchObject({
        "model.kubedl.io/job-uid": jobset?.metadata?.uid,
      });
    }
    expect((await shards()).map(placeOf)).toEqual([CLAIM, "scratch"]);
    expect((await shards()).map((pod) => variableOf(pod, "KUBEDL_MODEL_WRITER"))).toEqual([
      "true",
      "false",
    ]);
    await expect.poll(async () => (await shards()).flatMap(gatesOf), SOON).toEqual([]);
    expect(recordOf(await liveJobSet())).toMatchObject({
      uid: jobset?.metadata?.uid,
      claim: CLAIM,
    });
    claim = (await shards()).map(placeOf)[0];
    expect(isKept(await read<Job>(plane, "job", "sharded-workers-0"))).toBe(false);
  });

  test("starts anew at once: the pods of new Jobs wait for nothing, and write to the same claim", async () => {
    const old = new Set((await shards()).map(({ metadata }) => metadata?.uid));
    await plane.kubectl(["delete", "job", "sharded-workers-0", "--cascade=foreground"]);
    await makeJob();
    await eventually("two new pods", async () => {
      const uids = (await shards()).map(({ metadata }) => metadata?.uid);
      return uids.length === 2 && uids.every((uid) => !old.has(uid));
    });
    expect((await shards()).map(placeOf)).toEqual([claim, "scratch"]);
    expect((await shards()).flatMap(gatesOf)).toEqual([]);
    // To lift a gate would have made it 2.
    expect((await shards()).map(({ metadata }) => metadata?.generation)).toEqual([1, 1]);
  });

  test("becomes one version when all of it has succeeded", async () => {
    const jobset = await liveJobSet();
    await say(plane, "jobset", "sharded", ended("Completed"));
    const version = await exportedBy(plane, jobset, liveJobSet);
    expect(version.metadata.name).toBe(versionNameOf("of-a-jobset", jobset));
    expect(version.metadata.annotations).toMatchObject({
      "model.kubedl.io/job-kind": "JobSet",
      "model.kubedl.io/job-name": "sharded",
      "model.kubedl.io/completed-at": "2026-01-01T01:00:00Z",
    });
    expect(version.spec).toEqual({ ...intent, createdBy: "JobSet/sharded" });
  });
});

describe.each([
  {
    who: "Kubeflow's TFJob with the annotation",
    resource: "tfjobs.v1.kubeflow.org",
    apiVersion: "kubeflow.org/v1",
    prefix: "training.kubeflow.org/",
    asks: (intent: object) => ({ annotations: asking(intent), spec: {} }),
  },
  {
    who: "KubeDL's TFJob with spec.modelVersion, while no KubeDL runs,",
    resource: "tfjobs.v1alpha1.training.kubedl.io",
    apiVersion: "training.kubedl.io/v1alpha1",
    prefix: "",
    asks: (intent: object) => ({ annotations: {}, spec: { modelVersion: intent } }),
  },
])("$who", ({ resource, apiVersion, prefix, asks }) => {
  const [, group = ""] = /^\w+\.\w+\.(.*)$/.exec(resource) ?? [];
  const name = group.replaceAll(".", "-");
  const intent = exportOf(`of-${name}`);
  const live = async (): Promise<KubeObject | undefined> => read(plane, resource, name);
  const podOf = async (type: string): Promise<Pod> => {
    const pod = await read<Pod>(plane, "pod", `${name}-${type}-0`);
    if (pod === undefined) throw new Error(`there is no ${type}`);
    return pod;
  };
  /** The first pod of a type, as its operator makes it. */
  const makePod = async (type: "Chief" | "Worker"): Promise<string> => {
    const job = await live();
    const template = fieldAt(job, `spec.tfReplicaSpecs.${type}.template`) as Pod;
    const labels = {
      [`${prefix}replica-type`]: type.toLowerCase(),
      [`${prefix}replica-index`]: "0",
    };
    const metadata = { ...template.metadata, ...ownedBy(job ?? {}), labels };
    return answer(plane, {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { ...metadata, name: `${name}-${type.toLowerCase()}-0` },
      spec: template.spec,
    });
  };

  test("is held, and all of its templates get the annotation", async () => {
    const { annotations, spec } = asks(intent);
    const tfReplicaSpecs = { Chief: replicas(1), Worker: replicas(2) };
    const job = {
      apiVersion,
      kind: "TFJob",
      metadata: { name, annotations },
      spec: { ...spec, tfReplicaSpecs },
    };
    expect(await answer(plane, job)).toBe(
      "Warning: 1 of 3 pods writes the model (chief 0, localStorage); what the others write to the same path is dropped, and may be no more than 10Gi",
    );
    const stored = await live();
    expect(stored?.metadata).toMatchObject({ finalizers: [EXPORT], labels: { [EXPORT]: "true" } });
    for (const type of ["Chief", "Worker"]) {
      const template = fieldAt(stored, `spec.tfReplicaSpecs.${type}.template`) as Pod;
      expect(JSON.parse(template.metadata?.annotations?.[EXPORT] ?? "")).toEqual(intent);
    }
  });

  test("has a chief that writes, and workers with scratch space, which wait for nobody else", async () => {
    // The worker comes first, and is enough for the whole job to be let go.
    for (const type of ["Worker", "Chief"] as const) {
      expect(await makePod(type)).toMatch(/ created$/);
      const pod = await podOf(type.toLowerCase());
      expect(placeOf(pod)).toEqual(type === "Chief" ? CLAIM : "scratch");
      expect(variableOf(pod, "KUBEDL_MODEL_WRITER")).toBe(String(type === "Chief"));
      expect(pod.metadata?.finalizers).toBeUndefined();
      await expect.poll(async () => gatesOf(await podOf(type.toLowerCase())), SOON).toEqual([]);
    }
    expect((await podOf("chief")).metadata?.generation).toBe(1);
    await expect
      .poll(async () => eventsOn(plane, name), SOON)
      .toContainEqual(
        expect.stringMatching(/^WriterSubset: 1 of 3 pods writes the model \(chief 0\); /),
      );
  });

  test("becomes one version when it succeeds", async () => {
    const job = await live();
    await say(plane, resource, name, ended("Succeeded"));
    const version = await exportedBy(plane, job, live);
    expect(version.metadata.name).toBe(versionNameOf(`of-${name}`, job));
    expect(version.metadata.annotations).toMatchObject({
      "model.kubedl.io/job-kind": "TFJob",
      "model.kubedl.io/job-uid": job?.metadata?.uid,
      "model.kubedl.io/pod": `${name}-chief-0`,
    });
    expect(version.spec).toEqual({ ...intent, createdBy: `TFJob/${name}` });
  });
});
