import type { LocalCluster } from "./cluster-handle.ts";
import { type Operator, startOperator } from "./operator-start.ts";

/** A cluster and what pods of the operators need from its registry. */
export interface OperatorHost {
  readonly cluster: LocalCluster;
  readonly images: { readonly busybox: string };
}

/**
 * Their workers look their master's name up in DNS before they start. This node has none, so they start at once.
 * The file lies where the operator's --pytorch-init-container-template-file points by default.
 */
const PYTORCH_INIT_CONTAINER = `
- name: init-pytorch
  image: {{.InitContainerImage}}
  command: ['sh', '-c', 'echo not waiting for {{.MasterAddr}}: there is no DNS']
`;

/**
 * Installs Kubeflow's training operator with its webhooks for TFJobs and PyTorchJobs, compiled first if need be, and waits
 * until it answers for new jobs. It ends with the cluster. Its other kinds need images or a DNS that are not here.
 */
export async function startTrainingOperator({ cluster, images }: OperatorHost): Promise<void> {
  await startOperator(cluster, {
    program: "training-operator",
    module: "github.com/kubeflow/training-operator",
    kustomization: "manifests/overlays/standalone",
    kinds: ["tfjobs.kubeflow.org", "pytorchjobs.kubeflow.org"],
    namespace: "kubeflow",
    files: [{ path: "etc/config/initContainer.yaml", text: PYTORCH_INIT_CONTAINER, mode: 0o644 }],
    arguments: [
      `--pytorch-init-container-image=${images.busybox}`,
      "--enable-scheme=tfjob",
      "--enable-scheme=pytorchjob",
    ],
    probes: [
      trainingJob("TFJob", { tfReplicaSpecs: { Worker: replica("tensorflow", images.busybox) } }),
      trainingJob("PyTorchJob", {
        pytorchReplicaSpecs: { Master: replica("pytorch", images.busybox) },
      }),
    ],
  });
}

/** Installs JobSet with its webhooks, compiled first if need be, and waits until it answers for new JobSets. */
export async function startJobSet({ cluster, images }: OperatorHost): Promise<void> {
  const containers = [{ name: "probe", image: images.busybox }];
  const pod = { template: { spec: { restartPolicy: "Never", containers } } };
  await startOperator(cluster, {
    program: "jobset",
    module: "sigs.k8s.io/jobset",
    kustomization: "config/default",
    kinds: ["jobsets.jobset.x-k8s.io"],
    namespace: "jobset-system",
    files: [],
    // One process has nobody to elect; a lease of one that ended would only hold up the next.
    arguments: ["--leader-elect=false"],
    probes: [
      {
        apiVersion: "jobset.x-k8s.io/v1alpha2",
        kind: "JobSet",
        metadata: { name: "probe" },
        spec: { suspend: true, replicatedJobs: [{ name: "probe", template: { spec: pod } }] },
      },
    ],
  });
}

function trainingJob(kind: string, spec: object): Operator["probes"][number] {
  return {
    apiVersion: "kubeflow.org/v1",
    kind,
    metadata: { name: "probe" },
    spec: { runPolicy: { suspend: true }, ...spec },
  };
}

function replica(container: string, image: string): object {
  return { replicas: 1, template: { spec: { containers: [{ name: container, image }] } } };
}
