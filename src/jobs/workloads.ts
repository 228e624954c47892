import type { KubeObject } from "../api/kube-types.ts";

/** Who makes the pods of a template: a batch/v1 Job that is itself made from a template, or the controller of this kind. */
type Maker =
  | { readonly makes: "jobs" }
  | { readonly makes: "pods"; readonly owner: Controller | "itself" };

/** The controller that the pods of a template name as their owner. */
export interface Controller {
  readonly apiVersion: string;
  readonly kind: string;
}

/** Where a kind keeps templates: a JSON path in which `*` stands for every value of a map and every item of a list. */
export type TemplatePlace = Maker & { readonly path: string };

/** A kind of object whose pods others make, so that a denial of them is seen in events only. */
export interface Workload {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  /** Empty for a kind that takes its pods from elsewhere. */
  readonly places: readonly TemplatePlace[];
}

const APPS = { group: "apps", version: "v1" } as const;
const BATCH = { group: "batch", version: "v1" } as const;
const KUBEFLOW = { group: "kubeflow.org", version: "v1" } as const;
const KUBEDL = { group: "training.kubedl.io", version: "v1alpha1" } as const;

const REPLICASET = { apiVersion: "apps/v1", kind: "ReplicaSet" } as const;
/** A batch/v1 Job as the controller of pods. */
export const JOB = { apiVersion: "batch/v1", kind: "Job" } as const;
const RAYCLUSTER = { apiVersion: "ray.io/v1", kind: "RayCluster" } as const;

const pods = (path: string, owner: Controller | "itself" = "itself"): TemplatePlace => ({
  path,
  makes: "pods",
  owner,
});

const replicas = (field: string): readonly TemplatePlace[] => [pods(`spec.${field}.*.template`)];

/** The kinds that are looked at when they are applied. A kind that a cluster does not have costs it nothing. */
export const WORKLOADS: readonly Workload[] = [
  {
    ...APPS,
    kind: "Deployment",
    plural: "deployments",
    places: [pods("spec.template", REPLICASET)],
  },
  { ...APPS, kind: "StatefulSet", plural: "statefulsets", places: [pods("spec.template")] },
  { ...APPS, kind: "DaemonSet", plural: "daemonsets", places: [pods("spec.template")] },
  { ...APPS, kind: "ReplicaSet", plural: "replicasets", places: [pods("spec.template")] },
  { ...BATCH, kind: "Job", plural: "jobs", places: [pods("spec.template")] },
  {
    ...BATCH,
    kind: "CronJob",
    plural: "cronjobs",
    places: [{ path: "spec.jobTemplate", makes: "jobs" }],
  },
  { ...KUBEFLOW, kind: "TFJob", plural: "tfjobs", places: replicas("tfReplicaSpecs") },
  {
    ...KUBEFLOW,
    kind: "PyTorchJob",
    plural: "pytorchjobs",
    places: replicas("pytorchReplicaSpecs"),
  },
  { ...KUBEFLOW, kind: "PaddleJob", plural: "paddlejobs", places: replicas("paddleReplicaSpecs") },
  { ...KUBEFLOW, kind: "XGBoostJob", plural: "xgboostjobs", places: replicas("xgbReplicaSpecs") },
  { ...KUBEFLOW, kind: "JAXJob", plural: "jaxjobs", places: replicas("jaxReplicaSpecs") },
  { ...KUBEFLOW, kind: "MPIJob", plural: "mpijobs", places: replicas("mpiReplicaSpecs") },
  {
    ...KUBEFLOW,
    version: "v2beta1",
    kind: "MPIJob",
    plural: "mpijobs",
    // Its operator starts the launcher by a Job, and the workers itself.
    places: [
      pods("spec.mpiReplicaSpecs.Launcher.template", JOB),
      pods("spec.mpiReplicaSpecs.Worker.template"),
    ],
  },
  {
    group: "trainer.kubeflow.org",
    version: "v1alpha1",
    kind: "TrainJob",
    plural: "trainjobs",
    // Its pods come from a runtime, which others wrote.
    places: [],
  },
  {
    group: "jobset.x-k8s.io",
    version: "v1alpha2",
    kind: "JobSet",
    plural: "jobsets",
    places: [{ path: "spec.replicatedJobs.*.template", makes: "jobs" }],
  },
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
  },
  {
    group: "batch.volcano.sh",
    version: "v1alpha1",
    kind: "Job",
    plural: "jobs",
    places: [pods("spec.tasks.*.template")],
  },
  { ...KUBEDL, kind: "TFJob", plural: "tfjobs", places: replicas("tfReplicaSpecs") },
  {
    ...KUBEDL,
    kind: "PyTorchJob",
    plural: "pytorchjobs",
    places: replicas("pytorchReplicaSpecs"),
  },
  { ...KUBEDL, kind: "XGBoostJob", plural: "xgboostjobs", places: replicas("xgbReplicaSpecs") },
];

/** The row of a kind; undefined for one that is not in the table. */
export function workloadOf(kind: {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}): Workload | undefined {
  return WORKLOADS.find(
    (row) => row.group === kind.group && row.version === kind.version && row.kind === kind.kind,
  );
}

/** The row of an object, by the type that it carries. */
export function workloadOfObject({ apiVersion = "", kind = "" }: KubeObject): Workload | undefined {
  const [version = "", group = ""] = apiVersion.split("/").toReversed();
  return workloadOf({ group, version, kind });
}
