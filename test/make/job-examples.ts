import type { KubeObject, Pod } from "../../src/api/kube-types.ts";
import { deepFreeze } from "../../src/kube/freeze.ts";
import { JOB_UID } from "./pod.ts";

/** A pod as its operator labels it, and whether it is the one that writes. */
interface PodExample {
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly writes: boolean;
}

/** A job of one kind: what its users write, and what its operator makes of it. */
export interface JobExample {
  readonly apiVersion: string;
  readonly kind: string;
  readonly spec: object;
  /** Statuses as its operator writes them. */
  readonly running: object;
  readonly succeeded: object;
  readonly failed: object;
  /** When the succeeded one started and ended, as far as it tells. */
  readonly started: string | undefined;
  readonly ended: string | undefined;
  readonly pods: readonly PodExample[];
  /** Who writes, for people. */
  readonly writer: string;
  /** How many pods its spec asks for. */
  readonly size: number;
}

const CREATED = "2026-11-01T09:59:00Z";
const STARTED = "2026-11-01T10:00:00Z";
const ENDED = "2026-11-01T11:00:00Z";

/** The object of an example, with this status. */
export function exampleJob({ apiVersion, kind, spec }: JobExample, status: object): KubeObject {
  const metadata = { name: "train", namespace: "team-a", uid: JOB_UID, creationTimestamp: CREATED };
  return deepFreeze({ apiVersion, kind, metadata, spec, status } as KubeObject);
}

/** A pod of an example. */
export function examplePod({ labels = {}, annotations = {} }: PodExample): Pod {
  return deepFreeze({ metadata: { labels, annotations } });
}

const condition = (type: string, status = "True"): object => ({
  type,
  status,
  reason: type,
  message: "",
  lastTransitionTime: ENDED,
});
const template = { spec: { containers: [{ name: "main", image: "registry.example/trainer:1" }] } };
const replicas = (count: number): object => ({ replicas: count, restartPolicy: "Never", template });
const once = { started: STARTED, ended: ENDED } as const;

/** Conditions of the operators that Kubeflow's `common` library made. */
const OF_COMMON = {
  running: { conditions: [condition("Created"), condition("Running")], startTime: STARTED },
  succeeded: {
    conditions: [condition("Created"), condition("Running", "False"), condition("Succeeded")],
    startTime: STARTED,
    completionTime: ENDED,
  },
  failed: {
    conditions: [condition("Created"), condition("Restarting", "False"), condition("Failed")],
    startTime: STARTED,
  },
  ...once,
} as const;

/** Statuses that tell the start and the end by nothing but conditions. */
const byConditions = (succeeded: string): Statuses => ({
  running: { conditions: [condition("Suspended", "False")] },
  succeeded: { conditions: [condition("Suspended", "False"), condition(succeeded)] },
  failed: { conditions: [condition("Suspended", "False"), condition("Failed")] },
  started: undefined,
  ended: ENDED,
});
type Statuses = Pick<JobExample, "running" | "succeeded" | "failed" | "started" | "ended">;

const kubeflow = (type: string, index: number): Readonly<Record<string, string>> => ({
  "training.kubeflow.org/job-name": "train",
  "training.kubeflow.org/replica-type": type,
  "training.kubeflow.org/replica-index": String(index),
});
const kubedl = (type: string, index: number): Readonly<Record<string, string>> => ({
  "group-name": "training.kubedl.io",
  "job-name": "train",
  "replica-type": type,
  "replica-index": String(index),
});

/** A master, which writes, and two workers. */
function withMaster(
  kind: string,
  field: string,
  labels: typeof kubeflow,
  apiVersion = "kubeflow.org/v1",
): JobExample {
  return {
    apiVersion,
    kind,
    ...OF_COMMON,
    spec: { [field]: { Master: replicas(1), Worker: replicas(2) } },
    pods: [
      { labels: labels("master", 0), writes: true },
      { labels: labels("worker", 0), writes: false },
      { labels: labels("worker", 1), writes: false },
    ],
    writer: "master 0",
    size: 3,
  };
}

/** A chief, which writes, two workers and a parameter server. */
function withChief(labels: typeof kubeflow, apiVersion: string): JobExample {
  return {
    apiVersion,
    kind: "TFJob",
    ...OF_COMMON,
    spec: { tfReplicaSpecs: { PS: replicas(1), Worker: replicas(2), Chief: replicas(1) } },
    pods: [
      { labels: labels("chief", 0), writes: true },
      { labels: labels("worker", 0), writes: false },
      { labels: labels("worker", 1), writes: false },
      { labels: labels("ps", 0), writes: false },
    ],
    writer: "chief 0",
    size: 4,
  };
}

const jobset = (name: string, job: number, index: number, writes: boolean): PodExample => ({
  labels: {
    "jobset.sigs.k8s.io/jobset-name": "train",
    "jobset.sigs.k8s.io/replicatedjob-name": name,
    "jobset.sigs.k8s.io/job-index": String(job),
    "batch.kubernetes.io/job-completion-index": String(index),
  },
  annotations: { "batch.kubernetes.io/job-completion-index": String(index) },
  writes,
});
const mpi = (role: string): Readonly<Record<string, string>> => ({
  "training.kubeflow.org/operator-name": "mpi-operator",
  "training.kubeflow.org/job-name": "train",
  "training.kubeflow.org/job-role": role,
});
const indexed = (index: number, writes: boolean): PodExample => ({
  labels: { "batch.kubernetes.io/job-name": "train" },
  annotations: { "batch.kubernetes.io/job-completion-index": String(index) },
  writes,
});

/** One job of every kind that exports, and a bare pod; by each project's documented API. */
export const JOB_EXAMPLES: readonly JobExample[] = [
  {
    apiVersion: "batch/v1",
    kind: "Job",
    running: { active: 2, startTime: STARTED, conditions: [condition("SuccessCriteriaMet")] },
    succeeded: {
      startTime: STARTED,
      completionTime: ENDED,
      succeeded: 2,
      conditions: [condition("SuccessCriteriaMet"), condition("Complete")],
    },
    failed: {
      startTime: STARTED,
      conditions: [condition("FailureTarget"), condition("Failed")],
    },
    ...once,
    spec: { completions: 2, parallelism: 2, completionMode: "Indexed", template },
    pods: [indexed(0, true), indexed(1, false)],
    writer: "completion index 0",
    size: 2,
  },
  withChief(kubeflow, "kubeflow.org/v1"),
  withMaster("PyTorchJob", "pytorchReplicaSpecs", kubeflow),
  {
    apiVersion: "jobset.x-k8s.io/v1alpha2",
    kind: "JobSet",
    ...byConditions("Completed"),
    spec: {
      replicatedJobs: [
        {
          name: "workers",
          replicas: 2,
          template: { spec: { parallelism: 3, completionMode: "Indexed", template } },
        },
        { name: "driver", template: { spec: { template } } },
      ],
    },
    pods: [
      jobset("workers", 0, 0, true),
      jobset("workers", 0, 1, false),
      jobset("workers", 1, 0, false),
      jobset("driver", 0, 0, false),
    ],
    writer: "index 0 of workers",
    size: 7,
  },
  {
    apiVersion: "kubeflow.org/v1",
    kind: "MPIJob",
    ...OF_COMMON,
    spec: { mpiReplicaSpecs: { Launcher: replicas(1), Worker: replicas(2) } },
    pods: [
      // Its launcher has no index.
      { labels: { "training.kubeflow.org/replica-type": "launcher" }, writes: true },
      { labels: kubeflow("worker", 0), writes: false },
      { labels: kubeflow("worker", 1), writes: false },
    ],
    writer: "launcher 0",
    size: 3,
  },
  {
    apiVersion: "kubeflow.org/v2beta1",
    kind: "MPIJob",
    ...OF_COMMON,
    spec: { mpiReplicaSpecs: { Launcher: replicas(1), Worker: replicas(2) } },
    pods: [
      { labels: { ...mpi("launcher"), "batch.kubernetes.io/job-name": "train" }, writes: true },
      { labels: { ...mpi("worker"), ...kubeflow("worker", 0) }, writes: false },
    ],
    writer: "launcher",
    size: 3,
  },
  {
    apiVersion: "trainer.kubeflow.org/v1alpha1",
    kind: "TrainJob",
    ...byConditions("Complete"),
    spec: { runtimeRef: { name: "torch-distributed" }, trainer: { numNodes: 2 } },
    // A TrainJob does not name its parts; those of a runtime may be many, but for it the JobSet between tells.
    pods: [jobset("node", 0, 0, true), jobset("node", 0, 1, false)],
    writer: "index 0",
    size: 2,
  },
  withChief(kubedl, "training.kubedl.io/v1alpha1"),
  withMaster("PyTorchJob", "pytorchReplicaSpecs", kubedl, "training.kubedl.io/v1alpha1"),
  withMaster("XGBoostJob", "xgbReplicaSpecs", kubedl, "training.kubedl.io/v1alpha1"),
  {
    apiVersion: "ray.io/v1",
    kind: "RayJob",
    running: { jobStatus: "RUNNING", jobDeploymentStatus: "Running", startTime: STARTED },
    succeeded: {
      jobStatus: "SUCCEEDED",
      jobDeploymentStatus: "Complete",
      startTime: STARTED,
      endTime: ENDED,
    },
    failed: { jobStatus: "FAILED", jobDeploymentStatus: "Failed", reason: "AppFailed" },
    ...once,
    spec: {
      entrypoint: "python train.py",
      rayClusterSpec: {
        headGroupSpec: { template },
        workerGroupSpecs: [{ groupName: "gpu", replicas: 2, template }],
      },
    },
    pods: [
      { labels: { "ray.io/cluster": "train-x", "ray.io/node-type": "head" }, writes: true },
      { labels: { "ray.io/cluster": "train-x", "ray.io/node-type": "worker" }, writes: false },
      { labels: { "batch.kubernetes.io/job-name": "train" }, writes: false },
    ],
    writer: "head",
    size: 3,
  },
  {
    apiVersion: "batch.volcano.sh/v1alpha1",
    kind: "Job",
    running: { state: { phase: "Running", lastTransitionTime: STARTED }, running: 3 },
    succeeded: { state: { phase: "Completed", lastTransitionTime: ENDED }, succeeded: 3 },
    failed: { state: { phase: "Failed", lastTransitionTime: ENDED }, failed: 1 },
    started: CREATED,
    ended: ENDED,
    spec: {
      tasks: [
        { name: "ps", replicas: 1, template },
        { name: "master", replicas: 1, template },
        { name: "worker", replicas: 2, template },
      ],
    },
    pods: [
      { labels: { "volcano.sh/task-spec": "master", "volcano.sh/task-index": "0" }, writes: true },
      { labels: { "volcano.sh/task-spec": "ps", "volcano.sh/task-index": "0" }, writes: false },
      { labels: { "volcano.sh/task-spec": "worker", "volcano.sh/task-index": "1" }, writes: false },
    ],
    writer: "index 0 of master",
    size: 4,
  },
  withMaster("PaddleJob", "paddleReplicaSpecs", kubeflow),
  withMaster("XGBoostJob", "xgbReplicaSpecs", kubeflow),
  {
    apiVersion: "kubeflow.org/v1",
    kind: "JAXJob",
    ...OF_COMMON,
    spec: { jaxReplicaSpecs: { Worker: replicas(2) } },
    pods: [
      { labels: kubeflow("worker", 0), writes: true },
      { labels: kubeflow("worker", 1), writes: false },
    ],
    writer: "worker 0",
    size: 2,
  },
  {
    apiVersion: "v1",
    kind: "Pod",
    running: { phase: "Running", startTime: STARTED },
    succeeded: { phase: "Succeeded", startTime: STARTED },
    failed: { phase: "Failed", startTime: STARTED },
    started: STARTED,
    ended: undefined,
    spec: template.spec,
    pods: [{ writes: true }],
    writer: "completion index 0",
    size: 1,
  },
];
