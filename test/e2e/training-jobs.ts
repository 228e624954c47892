/** What one replica runs, in the image that the node has. */
interface Program {
  readonly image: string;
  /** Line of a shell whose output is the replica's model. */
  readonly line: string;
}

/** A TFJob with so many replicas of each type. */
export function tfJob(
  name: string,
  image: string,
  replicas: Readonly<Record<string, number>>,
): object {
  const program = { image, line: "echo $TF_CONFIG" };
  return {
    apiVersion: "kubeflow.org/v1",
    kind: "TFJob",
    metadata: { name },
    spec: { tfReplicaSpecs: replicaSpecs("tensorflow", program, replicas) },
  };
}

/** A PyTorchJob with so many replicas of each type. */
export function pyTorchJob(
  name: string,
  image: string,
  replicas: Readonly<Record<string, number>>,
): object {
  const program = { image, line: "echo rank $RANK of $WORLD_SIZE, master $MASTER_ADDR" };
  return {
    apiVersion: "kubeflow.org/v1",
    kind: "PyTorchJob",
    metadata: { name },
    spec: { pytorchReplicaSpecs: replicaSpecs("pytorch", program, replicas) },
  };
}

/** A JobSet with one Job of so many pods for each name. */
export function jobSet(
  name: string,
  image: string,
  pods: Readonly<Record<string, number>>,
): object {
  const template = podTemplate("main", { image, line: "hostname" });
  return {
    apiVersion: "jobset.x-k8s.io/v1alpha2",
    kind: "JobSet",
    metadata: { name },
    spec: {
      replicatedJobs: Object.entries(pods).map(([job, completions]) => ({
        name: job,
        replicas: 1,
        template: { spec: { parallelism: completions, completions, backoffLimit: 0, template } },
      })),
    },
  };
}

function replicaSpecs(
  container: string,
  program: Program,
  replicas: Readonly<Record<string, number>>,
): object {
  return Object.fromEntries(
    Object.entries(replicas).map(([type, count]) => [
      type,
      { replicas: count, restartPolicy: "Never", template: podTemplate(container, program) },
    ]),
  );
}

/** The operators know the container that they tell its task by its name. */
function podTemplate(container: string, { image, line }: Program): object {
  const script = `${line} >/model/task && cat /model/task`;
  return {
    spec: {
      restartPolicy: "Never",
      volumes: [{ name: "model", emptyDir: {} }],
      containers: [
        {
          name: container,
          image,
          command: ["sh", "-c", script],
          volumeMounts: [{ name: "model", mountPath: "/model" }],
        },
      ],
    },
  };
}
