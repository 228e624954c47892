import { ANNOTATIONS } from "../../../src/api/annotations.ts";
import { localStorage, repositoryOf } from "../faults/models.ts";
import type { TestNode } from "../node.ts";

/** A job of several pods that exports, and what each of its pods runs. */
export interface TrainingJob {
  /** Name of the job, of its model, and of the directory below /models that it writes to. */
  readonly name: string;
  /** Runs in the directory of the model. */
  readonly script: string;
  /** On the job, when it asks by an annotation of its own. */
  readonly asks?: boolean;
  readonly labels?: Readonly<Record<string, string>>;
  readonly restartPolicy?: "Never" | "ExitCode";
}

/** What the job exports, as its annotation or a binding says it. */
export function exportOf(node: TestNode, name: string): object {
  return {
    modelName: name,
    imageRepo: repositoryOf(node, name),
    storage: localStorage(node, `/models/${name}`),
  };
}

/** A TFJob of these replicas; nothing of it stays by itself once it has ended. */
export function tfJob(
  node: TestNode,
  job: TrainingJob,
  replicas: Readonly<Record<string, number>>,
): object {
  return {
    ...kubeflowJob(node, "TFJob", job),
    spec: {
      runPolicy: { cleanPodPolicy: "All", ttlSecondsAfterFinished: 0, backoffLimit: 3 },
      tfReplicaSpecs: replicaSpecs(node, "tensorflow", job, replicas),
    },
  };
}

/** A PyTorchJob of these replicas. */
export function pyTorchJob(
  node: TestNode,
  job: TrainingJob,
  replicas: Readonly<Record<string, number>>,
): object {
  return {
    ...kubeflowJob(node, "PyTorchJob", job),
    spec: {
      runPolicy: { cleanPodPolicy: "All" },
      pytorchReplicaSpecs: replicaSpecs(node, "pytorch", job, replicas),
    },
  };
}

/** A JobSet with one Job of so many pods for each name, which starts anew once after a failure. */
export function jobSet(
  node: TestNode,
  job: TrainingJob,
  pods: Readonly<Record<string, number>>,
): object {
  const template = podTemplate(node, "main", job);
  return {
    apiVersion: "jobset.x-k8s.io/v1alpha2",
    kind: "JobSet",
    metadata: metadataOf(node, job),
    spec: {
      failurePolicy: { maxRestarts: 1 },
      replicatedJobs: Object.entries(pods).map(([name, completions]) => ({
        name,
        replicas: 1,
        template: { spec: { parallelism: completions, completions, backoffLimit: 0, template } },
      })),
    },
  };
}

function kubeflowJob(node: TestNode, kind: string, job: TrainingJob): object {
  return { apiVersion: "kubeflow.org/v1", kind, metadata: metadataOf(node, job) };
}

function metadataOf(node: TestNode, { name, asks = true }: TrainingJob): object {
  const text = JSON.stringify(exportOf(node, name));
  return { name, ...(asks ? { annotations: { [ANNOTATIONS.export]: text } } : {}) };
}

function replicaSpecs(
  node: TestNode,
  container: string,
  job: TrainingJob,
  replicas: Readonly<Record<string, number>>,
): object {
  return Object.fromEntries(
    Object.entries(replicas).map(([type, count]) => [
      type,
      {
        replicas: count,
        restartPolicy: job.restartPolicy ?? "Never",
        template: podTemplate(node, container, job),
      },
    ]),
  );
}

/** The operators know the container that they tell its task by its name. */
function podTemplate(node: TestNode, container: string, { script, labels }: TrainingJob): object {
  return {
    metadata: { labels: { ...labels } },
    spec: {
      restartPolicy: "Never",
      terminationGracePeriodSeconds: 0,
      securityContext: { runAsUser: 1000, runAsGroup: 1000 },
      containers: [
        {
          name: container,
          image: node.images.busybox,
          command: ["sh", "-euc", `cd "$KUBEDL_MODEL_PATH"; ${script}`],
        },
      ],
    },
  };
}
