import { describe, expect, test } from "vitest";
import { makeExport } from "../../test/make/export.ts";
import { JOB_EXAMPLES, exampleJob } from "../../test/make/job-examples.ts";
import { patched } from "../../test/make/patched.ts";
import { makeSnapshot } from "../../test/make/snapshot.ts";
import { makeJobKind } from "../../test/make/workload.ts";
import { ANNOTATIONS, FINALIZERS, LABELS } from "../api/annotations.ts";
import type { KubeObject, ObjectMeta } from "../api/kube-types.ts";
import { fieldAt } from "../jobs/field.ts";
import type { JobKind } from "../jobs/job-kind.ts";
import { JOB_KINDS, jobKind } from "../jobs/kinds.ts";
import { apiVersionOf } from "../api/api-version.ts";
import { podTemplatesOf } from "../jobs/templates.ts";
import { deepFreeze } from "../kube/freeze.ts";
import type { Decision } from "./decision.ts";
import { decideExportingJob, isDecidedAsJob } from "./exporting-job.ts";

const TEXT = JSON.stringify(makeExport());
const EXPORTS = { [ANNOTATIONS.export]: TEXT };
const FIELD = "metadata.annotations[model.kubedl.io/export]";
const ALL_WRITE = {
  [ANNOTATIONS.export]: JSON.stringify(
    makeExport((intent) => {
      intent.writers = "all";
      intent.storage = { persistentVolumeClaim: { claimName: "models" } };
    }),
  ),
};
const BARE = { spec: { containers: [{ name: "main" }] } };
const ANNOTATED = { ...BARE, metadata: { annotations: EXPORTS } };

const TFJOB = makeJobKind("TFJob");
const OF_KUBEDL = makeJobKind("TFJob", "training.kubedl.io/v1alpha1");
const JOBSET = makeJobKind("JobSet");
const TRAINJOB = makeJobKind("TrainJob");
const RAYJOB = makeJobKind("RayJob");
const MPIJOB = makeJobKind("MPIJob", "kubeflow.org/v2beta1");

interface Made extends KubeObject {
  readonly metadata: ObjectMeta;
  readonly spec: object;
}

function made(kind: JobKind, spec: object, metadata: ObjectMeta = {}): Made {
  const type = { apiVersion: apiVersionOf(kind), kind: kind.kind };
  const named = { name: "train", namespace: "team-a", ...metadata };
  return deepFreeze({ ...type, metadata: named, spec });
}

function replicatedJob(template: object, spec: object = {}): object {
  return { name: "workers", template: { spec: { ...spec, template } } };
}

function decide(job: KubeObject, kind: JobKind, standby = false): Decision {
  const snapshot = makeSnapshot([], (each) => void (each.standby = standby));
  return decideExportingJob("team-a", job, kind, snapshot);
}

function stored<T extends KubeObject>(job: T, kind: JobKind): T {
  const decision = decide(job, kind);
  if (!decision.allowed) throw new Error(decision.message);
  expect(decision.reason).toBe("ExportHooked");
  const after = deepFreeze(patched(job, decision.operations));
  expect(decide(after, kind)).toMatchObject({ allowed: true, operations: [] });
  return after;
}

function faultsOf(job: KubeObject, kind: JobKind): readonly string[] {
  const decision = decide(job, kind);
  return decision.allowed
    ? []
    : [decision.reason, ...decision.causes.map(({ field, message }) => `${field}: ${message}`)];
}

function annotationsIn(job: KubeObject, kind: JobKind) {
  return podTemplatesOf(job, kind).map(({ annotations }) => annotations);
}

describe("a job that exports by itself is held, and each of its templates annotated:", () => {
  test.each(JOB_EXAMPLES.filter(({ kind }) => kind !== "Pod"))("$apiVersion $kind", (example) => {
    const kind = jobKind(JOB_KINDS, example);
    if (kind === undefined) throw new Error(`${example.kind} is no job`);
    const plain = exampleJob(example, {});
    expect(isDecidedAsJob(plain, kind)).toBe(false);
    const job = deepFreeze({ ...plain, metadata: { ...plain.metadata, annotations: EXPORTS } });
    expect(isDecidedAsJob(job, kind)).toBe(true);
    const after = stored(job, kind);
    expect(after.metadata.finalizers).toEqual([FINALIZERS.export]);
    expect(after.metadata.labels).toEqual({ [LABELS.export]: "true" });
    const annotations = annotationsIn(after, kind);
    expect(annotations).toEqual(annotations.map(() => EXPORTS));
    const { size, writer } = example;
    expect(decide(job, kind).warnings).toEqual([
      {
        reason: "WriterSubset",
        message: `1 of ${size} pods writes the model (${writer}, localStorage); what the others write to the same path is dropped, and may be no more than 10Gi`,
      },
    ]);
  });
});

describe("of a TFJob", () => {
  const one = { tfReplicaSpecs: { Chief: { template: ANNOTATED }, Worker: { template: BARE } } };

  test("an annotation in one template is meant for its pods, and copied to no other", () => {
    const job = made(TFJOB, one);
    expect(isDecidedAsJob(job, TFJOB)).toBe(true);
    const { metadata, spec } = stored(job, TFJOB);
    expect(spec).toEqual(one);
    expect(metadata).toMatchObject({
      finalizers: [FINALIZERS.export],
      labels: { [LABELS.export]: "true" },
    });
  });

  test.each([undefined, null])(
    "of which the metadata is %s, it is held all the same",
    (metadata) => {
      const job = deepFreeze({ ...made(TFJOB, one), metadata } as unknown as Made);
      const { finalizers, labels } = stored(job, TFJOB).metadata;
      expect(finalizers).toEqual([FINALIZERS.export]);
      expect(labels).toEqual({ [LABELS.export]: "true" });
    },
  );

  test("an annotation of its own is copied to those that lack it", () => {
    const after = stored(made(TFJOB, one, { annotations: EXPORTS }), TFJOB);
    expect(annotationsIn(after, TFJOB)).toEqual([EXPORTS, EXPORTS]);
  });

  test("templates may have null for metadata and annotations, and others of their own", () => {
    const tfReplicaSpecs = {
      Chief: { template: { ...BARE, metadata: null } },
      Worker: { template: { ...BARE, metadata: { annotations: null } } },
      PS: { template: { ...BARE, metadata: { annotations: { other: "kept" } } } },
      Evaluator: {},
    };
    const job = made(TFJOB, { tfReplicaSpecs }, { annotations: EXPORTS });
    expect(annotationsIn(stored(job, TFJOB), TFJOB)).toEqual([
      EXPORTS,
      EXPORTS,
      { other: "kept", ...EXPORTS },
    ]);
  });

  test("what templates say that do not agree is denied", () => {
    const other = makeExport((intent) => void (intent.modelName = "other"));
    const annotations = { [ANNOTATIONS.export]: JSON.stringify(other) };
    const tfReplicaSpecs = {
      Chief: { template: ANNOTATED },
      Worker: { template: { ...BARE, metadata: { annotations } } },
    };
    expect(faultsOf(made(TFJOB, { tfReplicaSpecs }), TFJOB)).toEqual([
      "ContradictingAnnotations",
      `spec.tfReplicaSpecs.Worker.template.${FIELD}: differs from spec.tfReplicaSpecs.Chief.template.${FIELD}; set it once`,
    ]);
  });

  test("what is wrong with an export is said once, where it is written", () => {
    const tfReplicaSpecs = { Chief: { template: BARE }, Worker: { template: BARE } };
    const annotations = { [ANNOTATIONS.export]: "[]" };
    expect(faultsOf(made(TFJOB, { tfReplicaSpecs }, { annotations }), TFJOB)).toEqual([
      "InvalidAnnotation",
      `${FIELD}: a list must be an object`,
    ]);
  });

  test("a template that serves is right beside one that exports, and wrong below a job that does", () => {
    const serving = { metadata: { annotations: { [ANNOTATIONS.modelVersion]: "mnist-v1" } } };
    const tfReplicaSpecs = { Chief: { template: ANNOTATED }, Evaluator: { template: serving } };
    const job = made(TFJOB, { tfReplicaSpecs });
    expect(stored(job, TFJOB).spec).toEqual({ tfReplicaSpecs });
    expect(faultsOf(made(TFJOB, { tfReplicaSpecs }, { annotations: EXPORTS }), TFJOB)).toEqual([
      "ContradictingAnnotations",
      `${FIELD}: excludes model.kubedl.io/model-version: a pod exports or serves`,
    ]);
  });

  test("a template that exports and opts out asks for nothing, whatever stands beside it", () => {
    const annotations = { ...EXPORTS, [ANNOTATIONS.inject]: "false" };
    const out = { ...BARE, metadata: { annotations } };
    const tfReplicaSpecs = { Chief: { template: out }, Worker: { template: BARE } };
    expect(decide(made(TFJOB, { tfReplicaSpecs }), TFJOB)).toMatchObject({
      reason: "OptedOut",
      operations: [],
    });
  });

  test("one template may opt out, and all of them", () => {
    const out = { ...BARE, metadata: { annotations: { [ANNOTATIONS.inject]: "false" } } };
    const annotations = EXPORTS;
    const some = { tfReplicaSpecs: { Chief: { template: BARE }, PS: { template: out } } };
    expect(decide(made(TFJOB, some, { annotations }), TFJOB).reason).toBe("ExportHooked");
    const all = { tfReplicaSpecs: { Chief: { template: out }, PS: { template: out } } };
    expect(decide(made(TFJOB, all, { annotations }), TFJOB)).toMatchObject({
      allowed: true,
      reason: "OptedOut",
      operations: [],
    });
  });

  test("an annotation that is for pods is idle on it", () => {
    const annotations = { [ANNOTATIONS.modelVersion]: "mnist-v1" };
    expect(decide(made(TFJOB, one, { annotations }), TFJOB).warnings).toContainEqual({
      reason: "IdleAnnotation",
      message:
        "model.kubedl.io/model-version has no effect on the job itself; set it in spec.tfReplicaSpecs.Chief.template.metadata.annotations",
    });
  });
});

describe("of a job of KubeDL", () => {
  const tfReplicaSpecs = { Worker: { template: BARE } };
  const modelVersion = makeExport();
  const job = made(OF_KUBEDL, { tfReplicaSpecs, modelVersion });

  test("spec.modelVersion says what it exports", () => {
    expect(isDecidedAsJob(job, OF_KUBEDL)).toBe(true);
    const after = stored(job, OF_KUBEDL);
    expect(annotationsIn(after, OF_KUBEDL)).toEqual([EXPORTS]);
    expect(after.metadata.finalizers).toEqual([FINALIZERS.export]);
    expect(after.metadata.annotations).toBeUndefined();
    expect(fieldAt(after, "spec.modelVersion")).toEqual(modelVersion);
  });

  test("what is wrong with it is said there", () => {
    const bad = made(OF_KUBEDL, { tfReplicaSpecs, modelVersion: { modelName: "mnist" } });
    expect(faultsOf(bad, OF_KUBEDL)).toEqual([
      "InvalidAnnotation",
      "spec.modelVersion.imageRepo: is required",
      "spec.modelVersion.storage: is required",
    ]);
  });

  test("an annotation beside it that says something else is denied", () => {
    const other = JSON.stringify(makeExport((intent) => void (intent.modelName = "other")));
    const annotated = made(OF_KUBEDL, job.spec, { annotations: { [ANNOTATIONS.export]: other } });
    expect(faultsOf(annotated, OF_KUBEDL)).toEqual([
      "ContradictingAnnotations",
      `spec.modelVersion: differs from ${FIELD}; set it once`,
    ]);
  });

  test("one that is no object says nothing", () => {
    const odd = made(OF_KUBEDL, { tfReplicaSpecs, modelVersion: "mnist-v1" });
    expect(isDecidedAsJob(odd, OF_KUBEDL)).toBe(false);
    expect(decide(odd, OF_KUBEDL)).toMatchObject({ reason: "NothingAsked", operations: [] });
  });

  test("it is left to KubeDL where that runs", () => {
    expect(decide(job, OF_KUBEDL, true)).toEqual({
      allowed: true,
      reason: "NotOurs",
      operations: [],
      warnings: [
        {
          reason: "KubeDLPresent",
          message: "spec.modelVersion is left to KubeDL, which runs in this cluster",
        },
      ],
    });
    const annotated = made(OF_KUBEDL, { tfReplicaSpecs }, { annotations: EXPORTS });
    expect(decide(annotated, OF_KUBEDL, true).reason).toBe("ExportHooked");
  });
});

describe("of a JobSet", () => {
  test("the templates of the pods are annotated, not those of the Jobs", () => {
    const job = made(JOBSET, { replicatedJobs: [replicatedJob(BARE)] }, { annotations: EXPORTS });
    expect(stored(job, JOBSET).spec).toEqual({ replicatedJobs: [replicatedJob(ANNOTATED)] });
  });

  test("a Job in it that has no first pod is denied", () => {
    const plain = { parallelism: 2, completionMode: "NonIndexed" };
    const replicatedJobs = [replicatedJob(BARE), replicatedJob(BARE, plain)];
    expect(faultsOf(made(JOBSET, { replicatedJobs }, { annotations: EXPORTS }), JOBSET)).toEqual([
      "AllWritersRequired",
      `${FIELD}.writers: must be "all": several pods run and none of them is the first; or set completionMode: Indexed, so that index 0 writes`,
    ]);
  });

  test.each([{}, { completionMode: "Indexed" }])(
    "a Job in it of several pods is right with %j, since JobSet numbers them",
    (mode) => {
      const replicatedJobs = [replicatedJob(BARE, { parallelism: 2, ...mode })];
      const job = made(JOBSET, { replicatedJobs }, { annotations: EXPORTS });
      expect(stored(job, JOBSET).metadata.finalizers).toEqual([FINALIZERS.export]);
    },
  );

  test.each<[string, string, string, readonly string[] | undefined]>([
    ["a JobSet", "jobset.x-k8s.io/v1alpha2", "JobSet", undefined],
    ["something unknown", "batch.example/v1", "Queue", [FINALIZERS.export]],
    ["a CronJob", "batch/v1", "CronJob", [FINALIZERS.export]],
  ])("a Job that %s makes is held as far as it is the top: %3$j", (_, apiVersion, kind, held) => {
    const ownerReferences = [{ apiVersion, kind, name: "top", uid: "1", controller: true }];
    const batchJob = makeJobKind("Job", "batch/v1");
    const job = made(batchJob, { template: ANNOTATED }, { ownerReferences });
    const { metadata, spec } = stored(job, batchJob);
    expect(metadata.finalizers).toEqual(held);
    expect(spec).toEqual({ template: ANNOTATED });
  });

  test("a Job that a JobSet makes is not told that one of its pods writes", () => {
    const owner = { apiVersion: "jobset.x-k8s.io/v1alpha2", kind: "JobSet", name: "a", uid: "1" };
    const batchJob = makeJobKind("Job", "batch/v1");
    const spec = { parallelism: 2, completionMode: "Indexed", template: ANNOTATED };
    const ownerReferences = [{ ...owner, controller: true }];
    expect(decide(made(batchJob, spec, { ownerReferences }), batchJob).warnings).toEqual([]);
    expect(decide(made(batchJob, spec), batchJob).warnings).toHaveLength(1);
  });
});

function ray(head: object, workers: object): object {
  const workerGroupSpecs = [{ template: workers }];
  return { rayClusterSpec: { headGroupSpec: { template: head }, workerGroupSpecs } };
}

function mpi(launcher: object, worker: object): object {
  return { mpiReplicaSpecs: { Launcher: { template: launcher }, Worker: { template: worker } } };
}

describe("a job is denied that nobody would write for:", () => {
  const HEAD = "spec.rayClusterSpec.headGroupSpec.template";
  const WORKERS = "spec.rayClusterSpec.workerGroupSpecs[0].template";
  const submitted = { clusterSelector: { app: "ray" }, submitterPodTemplate: BARE };
  const elsewhere = `${FIELD}: can not be followed: the job has no template of the pod that would write; set it on what makes that, or use a ModelBinding`;

  test.each<[string, Made, string]>([
    [
      "a RayJob of which only workers ask",
      made(RAYJOB, ray(BARE, ANNOTATED)),
      `${WORKERS}.${FIELD}: would be written by nobody: the pod of ${HEAD} writes; set it there, or once on the RayJob`,
    ],
    [
      "an MPIJob of which only workers ask",
      made(MPIJOB, mpi(BARE, ANNOTATED)),
      `spec.mpiReplicaSpecs.Worker.template.${FIELD}: would be written by nobody: the pod of spec.mpiReplicaSpecs.Launcher.template writes; set it there, or once on the MPIJob`,
    ],
    [
      "a RayJob that runs in a cluster of others",
      made(RAYJOB, { clusterSelector: { app: "ray" } }, { annotations: EXPORTS }),
      elsewhere,
    ],
    [
      "a RayJob that runs in a cluster of others, and has a template of who submits it",
      made(RAYJOB, submitted, { annotations: EXPORTS }),
      elsewhere,
    ],
  ])("%s", (_, job, fault) => {
    const kind = job.kind === "RayJob" ? RAYJOB : MPIJOB;
    expect(faultsOf(job, kind)).toEqual(["InvalidAnnotation", fault]);
  });

  test.each<[string, Made]>([
    ["the pod that writes asks", made(RAYJOB, ray(ANNOTATED, BARE))],
    ["the job does", made(RAYJOB, ray(BARE, BARE), { annotations: EXPORTS })],
    ["the launcher does", made(MPIJOB, mpi(ANNOTATED, BARE))],
    [
      "all write that ask",
      made(RAYJOB, ray(BARE, { ...BARE, metadata: { annotations: ALL_WRITE } })),
    ],
  ])("but not when %s", (_, job) => {
    const kind = job.kind === "RayJob" ? RAYJOB : MPIJOB;
    expect(stored(job, kind).metadata.finalizers).toEqual([FINALIZERS.export]);
  });
});

describe("of a TrainJob", () => {
  test.each<[string, object]>([
    ["no annotations to pass on", {}],
    ["null for them", { annotations: null }],
    ["annotations to pass on", { annotations: { other: "kept" } }],
  ])("with %s, it passes the export on", (_, spec) => {
    const job = made(TRAINJOB, spec, { annotations: EXPORTS });
    const others = fieldAt(job, "spec.annotations") ?? {};
    expect(stored(job, TRAINJOB).spec).toEqual({ annotations: { ...others, ...EXPORTS } });
  });

  test.each<[string, object]>([
    ["a list of annotations", { spec: { annotations: [] } }],
    ["a text for annotations", { spec: { annotations: "a" } }],
    ["null for a spec", { spec: null }],
    ["a list for a spec", { spec: [] }],
    ["no spec", { spec: undefined }],
  ])("with %s, it is held only, since its schema refuses it", (_, odd) => {
    const job = deepFreeze({ ...made(TRAINJOB, {}, { annotations: EXPORTS }), ...odd });
    const after = stored(job, TRAINJOB);
    expect(after.spec).toEqual(job.spec);
    expect(after.metadata.finalizers).toEqual([FINALIZERS.export]);
  });

  test("it is told that it has no template for what is for pods", () => {
    const annotations = { ...EXPORTS, [ANNOTATIONS.delivery]: "copy" };
    expect(decide(made(TRAINJOB, {}, { annotations }), TRAINJOB).warnings).toContainEqual({
      reason: "IdleAnnotation",
      message: "model.kubedl.io/delivery has no effect on the job itself",
    });
  });
});
