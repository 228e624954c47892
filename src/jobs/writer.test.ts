import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { makeJob, type MadeJob } from "../../test/make/job.ts";
import { makePod, makeTrainingPod } from "../../test/make/pod.ts";
import { makeJobKind } from "../../test/make/workload.ts";
import { ANNOTATIONS } from "../api/annotations.ts";
import type { KubeObject } from "../api/kube-types.ts";
import { deepFreeze } from "../kube/freeze.ts";
import type { JobKind } from "./job-kind.ts";
import { BARE_POD, BATCH_JOB, JOB_KINDS } from "./kinds.ts";
import {
  completedWithoutWriter,
  hasNoFirstPod,
  isWriterPod,
  silentWriter,
  sizeOf,
  writerName,
  writesElsewhere,
} from "./writer.ts";

const TFJOB = makeJobKind("TFJob");
const PYTORCHJOB = makeJobKind("PyTorchJob");
const JOBSET = makeJobKind("JobSet");
const TRAINJOB = makeJobKind("TrainJob");
const RAYJOB = makeJobKind("RayJob");
const MPIJOB = makeJobKind("MPIJob", "kubeflow.org/v2beta1");
const VOLCANO = makeJobKind("Job", "batch.volcano.sh/v1alpha1");

const SILENT = { template: {} };
const ASKING = { template: { metadata: { annotations: { [ANNOTATIONS.export]: "{}" } } } };

function jobOf(spec: object): KubeObject {
  return deepFreeze({ spec } as KubeObject);
}

function podWith(labels: Record<string, string>): KubeObject {
  return makePod((pod) => void (pod.metadata.labels = labels));
}

describe("of a batch Job", () => {
  test.each([
    [undefined, true],
    ["0", true],
    ["1", false],
    ["10", false],
  ])("the pod with completion index %s writes: %s", (index, expected) => {
    const pod = makeTrainingPod((each) => {
      each.metadata.annotations =
        index === undefined ? {} : { "batch.kubernetes.io/job-completion-index": index };
    });
    expect(isWriterPod(BATCH_JOB, pod, [makeJob()])).toBe(expected);
  });

  test.each<[string, Partial<MadeJob["spec"]>, boolean]>([
    ["one", {}, false],
    ["one at a time, once", { parallelism: 1, completions: 1 }, false],
    ["none for now", { parallelism: 0 }, false],
    ["two at a time", { parallelism: 2 }, true],
    ["two in all", { completions: 2 }, true],
    ["two that are numbered", { completions: 2, parallelism: 2, completionMode: "Indexed" }, false],
  ])("%s: no pod is the first", (_, spec, expected) => {
    const job = makeJob((each) => void Object.assign(each.spec, spec));
    expect(hasNoFirstPod(job)).toBe(expected);
  });

  test("only a batch Job has no first pod", () => {
    const spec = { parallelism: 2, completions: 2 };
    const volcano = { apiVersion: "batch.volcano.sh/v1alpha1", kind: "Job" };
    expect(hasNoFirstPod(deepFreeze({ ...volcano, spec } as KubeObject))).toBe(false);
    expect(hasNoFirstPod({})).toBe(false);
  });

  test.each([
    ["Indexed", "0", undefined],
    ["Indexed", "0,2-4", undefined],
    ["Indexed", "0-3", undefined],
    ["Indexed", "1,3-10", "1,3-10"],
    ["Indexed", "10", "10"],
    ["Indexed", "", "none"],
    ["Indexed", undefined, "none"],
    ["NonIndexed", undefined, undefined],
    [undefined, undefined, undefined],
  ])("%s, completed %j: the writer is missing among %s", (completionMode, indexes, expected) => {
    const job = makeJob((each) => {
      if (completionMode !== undefined) each.spec.completionMode = completionMode;
      each.status = indexes === undefined ? {} : { completedIndexes: indexes };
    });
    expect(completedWithoutWriter(job)).toBe(expected);
  });
});

describe("of a job with replica types", () => {
  test.each<[string, JobKind, string, Record<string, object>, string]>([
    ["with a chief", TFJOB, "tfReplicaSpecs", { Worker: SILENT, Chief: SILENT }, "chief 0"],
    [
      "with a master",
      TFJOB,
      "tfReplicaSpecs",
      { PS: SILENT, Worker: SILENT, Master: SILENT },
      "master 0",
    ],
    ["of workers only", TFJOB, "tfReplicaSpecs", { PS: SILENT, Worker: SILENT }, "worker 0"],
    [
      "with keys in lower case",
      TFJOB,
      "tfReplicaSpecs",
      { worker: SILENT, chief: SILENT },
      "chief 0",
    ],
    [
      "of which the workers ask",
      TFJOB,
      "tfReplicaSpecs",
      { Chief: SILENT, Worker: ASKING },
      "worker 0",
    ],
    [
      "of which one asks that never writes by itself",
      TFJOB,
      "tfReplicaSpecs",
      { Chief: SILENT, Evaluator: ASKING },
      "evaluator 0",
    ],
    [
      "of which several such ask, the first of them",
      TFJOB,
      "tfReplicaSpecs",
      { Worker: SILENT, PS: ASKING, Evaluator: ASKING },
      "ps 0",
    ],
    [
      "of which one such asks and one that is known to write",
      TFJOB,
      "tfReplicaSpecs",
      { PS: ASKING, Worker: ASKING },
      "worker 0",
    ],
    [
      "of which nobody asks, and none is known to write",
      TFJOB,
      "tfReplicaSpecs",
      { PS: SILENT },
      "worker 0",
    ],
    ["of which all ask", TFJOB, "tfReplicaSpecs", { Worker: ASKING, Chief: ASKING }, "chief 0"],
    ["without any", TFJOB, "tfReplicaSpecs", {}, "worker 0"],
    [
      "with a master",
      PYTORCHJOB,
      "pytorchReplicaSpecs",
      { Worker: SILENT, Master: SILENT },
      "master 0",
    ],
    ["without a master", PYTORCHJOB, "pytorchReplicaSpecs", { Worker: SILENT }, "worker 0"],
  ])("%s, a $kind: $4", (_, kind, field, replicas, expected) => {
    const job = jobOf({ [field]: replicas });
    expect(writerName(kind, job)).toBe(expected);
    const types = ["chief", "master", "worker", "ps", "evaluator"].flatMap((type) => [
      `${type} 0`,
      `${type} 1`,
    ]);
    const writers = types.filter((each) => {
      const [type = "", index = ""] = each.split(" ");
      const pod = podWith({
        "training.kubeflow.org/replica-type": type,
        "training.kubeflow.org/replica-index": index,
      });
      return isWriterPod(kind, pod, [job]);
    });
    expect(writers).toEqual([expected]);
  });

  test("a label in capitals counts alike", () => {
    const pod = podWith({ "training.kubeflow.org/replica-type": "Worker" });
    expect(isWriterPod(TFJOB, pod, [jobOf({ tfReplicaSpecs: { Worker: SILENT } })])).toBe(true);
  });
});

describe("of a job of named parts", () => {
  test.each<[string, object, string]>([
    ["the first one writes", { replicatedJobs: [part("b"), part("a")] }, "b"],
    [
      "the driver that is named so does not go before",
      { replicatedJobs: [part("a"), part("driver")] },
      "a",
    ],
    [
      "the leader writes",
      { replicatedJobs: [part("a"), part("launcher"), part("chief")] },
      "chief",
    ],
    [
      "the one that trains writes",
      { replicatedJobs: [part("dataset-initializer"), part("node")] },
      "node",
    ],
    ["the one that asks writes", { replicatedJobs: [part("leader"), part("b", true)] }, "b"],
    [
      "the leader of those that ask writes",
      { replicatedJobs: [part("chief"), part("b", true), part("master", true)] },
      "master",
    ],
    [
      "the coordinator writes, whoever asks",
      {
        replicatedJobs: [part("a", true), part("b")],
        coordinator: { replicatedJob: "b", jobIndex: 0 },
      },
      "b",
    ],
  ])("%s", (_, spec, expected) => {
    const job = jobOf(spec);
    expect(writerName(JOBSET, job)).toBe(`index 0 of ${expected}`);
    const names = [
      "a",
      "b",
      "chief",
      "master",
      "launcher",
      "leader",
      "driver",
      "node",
      "dataset-initializer",
    ];
    const writers = names.filter((name) =>
      isWriterPod(JOBSET, podWith({ "jobset.sigs.k8s.io/replicatedjob-name": name }), [job]),
    );
    expect(writers).toEqual([expected]);
  });

  test("a TrainJob leaves it to the JobSet that it makes", () => {
    const trainJob = jobOf({ trainer: { numNodes: 2 } });
    const owners = [
      makeJob(),
      jobOf({ replicatedJobs: [part("dataset-initializer"), part("node")] }),
      trainJob,
    ];
    const writes = (name: string, index: string): boolean => {
      const labels = {
        "jobset.sigs.k8s.io/replicatedjob-name": name,
        "batch.kubernetes.io/job-completion-index": index,
      };
      return isWriterPod(TRAINJOB, podWith(labels), owners);
    };
    expect([writes("node", "0"), writes("node", "1"), writes("dataset-initializer", "0")]).toEqual([
      true,
      false,
      false,
    ]);
  });

  test("a Volcano Job has its parts at the top", () => {
    const asking = { name: "b", ...ASKING };
    const job = jobOf({ tasks: [{ name: "a", ...SILENT }, asking] });
    expect(writerName(VOLCANO, job)).toBe("index 0 of b");
    expect(writerName(VOLCANO, jobOf({ tasks: [] }))).toBe("index 0");
  });
});

describe("of the templates of a job, the one whose pod writes", () => {
  const HEAD = "spec.rayClusterSpec.headGroupSpec.template";
  const LAUNCHER = "spec.mpiReplicaSpecs.Launcher.template";
  const ray = (head: object): object => ({
    rayClusterSpec: { headGroupSpec: head, workerGroupSpecs: [ASKING] },
  });
  test.each<[string, JobKind, object, string | undefined]>([
    ["asks, of a RayJob", RAYJOB, ray(ASKING), undefined],
    ["is silent, of a RayJob", RAYJOB, ray(SILENT), HEAD],
    ["is missing, of a RayJob", RAYJOB, ray({}), HEAD],
    ["asks, of an MPIJob", MPIJOB, { mpiReplicaSpecs: { Launcher: ASKING } }, undefined],
    [
      "is silent, of an MPIJob",
      MPIJOB,
      { mpiReplicaSpecs: { Launcher: SILENT, Worker: ASKING } },
      LAUNCHER,
    ],
    ["goes by who asks, of a TFJob", TFJOB, { tfReplicaSpecs: { Chief: SILENT } }, undefined],
    ["goes by who asks, of a JobSet", JOBSET, { replicatedJobs: [part("a")] }, undefined],
    ["is the only one, of a Job", BATCH_JOB, SILENT, undefined],
  ])("%s", (_, kind, spec, expected) => {
    expect(silentWriter(kind, jobOf(spec))).toBe(expected);
  });
});

test.each<[string, JobKind, object, boolean]>([
  ["a RayJob in a cluster of others", RAYJOB, { clusterSelector: {} }, true],
  ["a RayJob with a cluster", RAYJOB, { rayClusterSpec: { headGroupSpec: SILENT } }, false],
  ["a TrainJob, which leaves it to its JobSet", TRAINJOB, {}, false],
  ["a TFJob", TFJOB, {}, false],
])("what writes runs elsewhere: of %s", (_, kind, spec, expected) => {
  expect(writesElsewhere(kind, jobOf(spec))).toBe(expected);
});

describe("a job has as many pods", () => {
  test.each<[string, JobKind, object, number]>([
    ["as it completes", BATCH_JOB, { completions: 3, parallelism: 2, template: {} }, 3],
    ["as run at a time, where it completes once", BATCH_JOB, { parallelism: 2, template: {} }, 2],
    ["as one, where it says nothing", BATCH_JOB, { template: {} }, 1],
    ["as one, where it is empty", TFJOB, {}, 1],
    [
      "as one, where it has none for now",
      TFJOB,
      { tfReplicaSpecs: { Worker: { replicas: 0, template: {} } } },
      1,
    ],
    [
      "as its replicas that have a template",
      TFJOB,
      { tfReplicaSpecs: { Worker: { replicas: 2 }, Chief: { template: {} } } },
      1,
    ],
    ["as its TrainJob has nodes", TRAINJOB, { trainer: { numNodes: 4 } }, 4],
    ["as one, where the runtime says", TRAINJOB, {}, 1],
  ])("%s", (_, kind, spec, expected) => {
    expect(sizeOf(kind, jobOf(spec))).toBe(expected);
  });
});

test("no JSON makes it throw", () => {
  const json = fc.jsonValue();
  const named = fc.record({ name: json, replicas: json, template: json }, { requiredKeys: [] });
  const list = fc.oneof(json, fc.array(fc.oneof(json, named)), fc.dictionary(fc.string(), named));
  const spec = fc.record(
    { tfReplicaSpecs: list, replicatedJobs: list, tasks: list, trainer: json, parallelism: json },
    { requiredKeys: [] },
  );
  const any = fc.oneof(json, fc.record({ spec: fc.oneof(json, spec), status: json }));
  const pod = podWith({ "training.kubeflow.org/replica-type": "worker" });
  fc.assert(
    fc.property(any, (object) => {
      const job = (object ?? {}) as KubeObject;
      expect(typeof hasNoFirstPod({ apiVersion: "batch/v1", kind: "Job", ...job })).toBe("boolean");
      for (const kind of [...JOB_KINDS, BARE_POD]) {
        expect(typeof isWriterPod(kind, pod, [job])).toBe("boolean");
        expect(typeof writerName(kind, job)).toBe("string");
        expect(typeof sizeOf(kind, job)).toBe("number");
      }
    }),
  );
});

function part(name: string, asks = false): object {
  return { name, template: { spec: asks ? ASKING : SILENT } };
}
