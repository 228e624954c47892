import type { JobKind, OutcomeRule, WriterRule } from "./job-kind.ts";
import { apiVersionOf } from "../api/api-version.ts";
import { JOB, pods, type Workload } from "./places.ts";

/** Annotation of the pods of an Indexed Job (Kubernetes, "Job patterns: completion index"). */
export const COMPLETION_INDEX = "batch.kubernetes.io/job-completion-index";

const ended = (succeeded: string, failed = "Failed"): OutcomeRule => ({
  succeeded: [{ condition: succeeded }],
  failed: [{ condition: failed }],
});

const SUCCEEDED = ended("Succeeded");
/** Complete, and not SuccessCriteriaMet, which comes while pods still run (Kubernetes, "Job termination and cleanup"). */
const COMPLETE = ended("Complete");

/** Kubeflow's training operator v1: labels of its pods from `apis/kubeflow.org/v1/common_types.go`. */
function kubeflow(kind: string, field: string, types: readonly string[]): JobKind {
  return {
    group: "kubeflow.org",
    version: "v1",
    kind,
    plural: `${kind.toLowerCase()}s`,
    places: [pods(`spec.${field}.*.template`)],
    outcome: SUCCEEDED,
    writer: {
      by: "replica-type",
      replicas: `spec.${field}`,
      types,
      type: "training.kubeflow.org/replica-type",
      index: "training.kubeflow.org/replica-index",
    },
  };
}

/** KubeDL's own kinds: labels of its pods from `pkg/job_controller/api/v1/constants.go`. */
function kubedl(kind: string, field: string, types: readonly string[]): JobKind {
  return {
    ...kubeflow(kind, field, types),
    group: "training.kubedl.io",
    version: "v1alpha1",
    writer: {
      by: "replica-type",
      replicas: `spec.${field}`,
      types,
      type: "replica-type",
      index: "replica-index",
    },
  };
}

/** Kubernetes' own jobs. */
export const BATCH_JOB: JobKind = {
  group: "batch",
  version: "v1",
  kind: JOB.kind,
  plural: "jobs",
  places: [pods("spec.template")],
  outcome: COMPLETE,
  writer: { by: "index", index: COMPLETION_INDEX },
};

/** A pod that nobody else controls: its own job. It is watched with the pods of other jobs. */
export const BARE_POD: JobKind = {
  group: "",
  version: "v1",
  kind: "Pod",
  plural: "pods",
  places: [],
  outcome: {
    succeeded: [{ path: "status.phase", values: ["Succeeded"] }],
    failed: [{ path: "status.phase", values: ["Failed"] }],
  },
  writer: { by: "index", index: COMPLETION_INDEX },
};

/** Names that the writer has wherever jobs name their parts. */
const LEADERS = ["chief", "master", "launcher"];

const JOBSET_WRITER: WriterRule = {
  by: "item",
  list: "spec.replicatedJobs",
  template: "template.spec.template",
  chosen: "spec.coordinator.replicatedJob",
  // "node" is what Kubeflow's trainer names the part that trains, beside others that fetch data.
  names: [...LEADERS, "node"],
  name: "jobset.sigs.k8s.io/replicatedjob-name",
  indexes: ["jobset.sigs.k8s.io/job-index", COMPLETION_INDEX],
};

/** A RayJob's pods belong to its cluster. */
const RAYCLUSTER = { apiVersion: "ray.io/v1", kind: "RayCluster" } as const;

/** The kinds of jobs that export models; those that a cluster does not have cost it nothing. */
export const JOB_KINDS: readonly JobKind[] = [
  BATCH_JOB,
  kubeflow("TFJob", "tfReplicaSpecs", ["chief", "master", "worker"]),
  kubeflow("PyTorchJob", "pytorchReplicaSpecs", ["master", "worker"]),
  {
    group: "jobset.x-k8s.io",
    version: "v1alpha2",
    kind: "JobSet",
    plural: "jobsets",
    places: [{ path: "spec.replicatedJobs.*.template", makes: "jobs", completionMode: "Indexed" }],
    outcome: ended("Completed"),
    writer: JOBSET_WRITER,
  },
  kubeflow("MPIJob", "mpiReplicaSpecs", ["launcher", "worker"]),
  {
    group: "kubeflow.org",
    version: "v2beta1",
    kind: "MPIJob",
    plural: "mpijobs",
    // Its operator starts the launcher by a Job, and the workers itself.
    places: [
      pods("spec.mpiReplicaSpecs.Launcher.template", JOB),
      pods("spec.mpiReplicaSpecs.Worker.template"),
    ],
    outcome: SUCCEEDED,
    writer: {
      by: "labels",
      name: "launcher",
      labels: { "training.kubeflow.org/job-role": "launcher" },
      template: "spec.mpiReplicaSpecs.Launcher.template",
    },
  },
  {
    group: "trainer.kubeflow.org",
    version: "v1alpha1",
    kind: "TrainJob",
    plural: "trainjobs",
    // Its pods come from a runtime, which others wrote, by way of a JobSet.
    places: [],
    outcome: COMPLETE,
    writer: JOBSET_WRITER,
    size: "spec.trainer.numNodes",
    passesOn: "spec.annotations",
  },
  kubedl("TFJob", "tfReplicaSpecs", ["chief", "master", "worker"]),
  kubedl("PyTorchJob", "pytorchReplicaSpecs", ["master", "worker"]),
  kubedl("XGBoostJob", "xgbReplicaSpecs", ["master", "worker"]),
  {
    group: "ray.io",
    version: "v1",
    kind: "RayJob",
    plural: "rayjobs",
    places: [
      pods("spec.rayClusterSpec.headGroupSpec.template", RAYCLUSTER),
      pods("spec.rayClusterSpec.workerGroupSpecs.*.template", RAYCLUSTER),
      pods("spec.submitterPodTemplate", JOB),
    ],
    // KubeRay, "RayJob": jobStatus is of the program, jobDeploymentStatus of all around it, which may try again after a failure.
    outcome: {
      succeeded: [
        { path: "status.jobStatus", values: ["SUCCEEDED"] },
        { path: "status.jobDeploymentStatus", values: ["Complete"] },
      ],
      failed: [
        { path: "status.jobDeploymentStatus", values: ["Failed", "ValidationFailed", "Complete"] },
      ],
    },
    // The submitter only starts the program, which runs on the head.
    writer: {
      by: "labels",
      name: "head",
      labels: { "ray.io/node-type": "head" },
      template: "spec.rayClusterSpec.headGroupSpec.template",
    },
    writerStays: true,
    times: { completed: "status.endTime" },
  },
  {
    group: "batch.volcano.sh",
    version: "v1alpha1",
    kind: "Job",
    plural: "jobs",
    places: [pods("spec.tasks.*.template")],
    // An Aborted job may be resumed.
    outcome: {
      succeeded: [{ path: "status.state.phase", values: ["Completed"] }],
      failed: [{ path: "status.state.phase", values: ["Failed", "Terminated"] }],
    },
    writer: {
      by: "item",
      list: "spec.tasks",
      template: "template",
      names: LEADERS,
      name: "volcano.sh/task-spec",
      indexes: ["volcano.sh/task-index"],
    },
    times: { started: "metadata.creationTimestamp", completed: "status.state.lastTransitionTime" },
  },
  kubeflow("PaddleJob", "paddleReplicaSpecs", ["master", "worker"]),
  kubeflow("XGBoostJob", "xgbReplicaSpecs", ["master", "worker"]),
  kubeflow("JAXJob", "jaxReplicaSpecs", ["worker"]),
];

/** What stands between pods and the job that they belong to, and is none itself. */
export const BETWEEN: readonly Workload[] = [
  { group: "ray.io", version: "v1", kind: "RayCluster", plural: "rayclusters", places: [] },
];

/** The kinds as messages list them, without their versions. */
export function kindNames(kinds: readonly Workload[]): string {
  return [...new Set(kinds.map(({ kind, group }) => `${kind} (${group})`))].join(", ");
}

/** The row of a kind; undefined for one that is not in the table. */
export function jobKind<T extends Workload>(
  kinds: readonly T[],
  {
    apiVersion,
    kind,
  }: { readonly apiVersion?: string | undefined; readonly kind?: string | undefined },
): T | undefined {
  return kinds.find((row) => row.kind === kind && apiVersionOf(row) === apiVersion);
}
