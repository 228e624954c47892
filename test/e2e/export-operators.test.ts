import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startJobSet, startTrainingOperator } from "../../deploy/local/operators.ts";
import type { Pod } from "../../src/api/kube-types.ts";
import {
  apply,
  eventually,
  joinNode,
  kubectl,
  list,
  makeNamespace,
  type TestNode,
} from "./node.ts";
import { jobSet, pyTorchJob, tfJob } from "./training-jobs.ts";

const NAMESPACE = "operators";
/** Labels by which the operators tell the pods of a job. */
const TRAINING_JOB = "training.kubeflow.org/job-name";
const JOB_SET = "jobset.sigs.k8s.io/jobset-name";

describe("jobs of training operators that were installed after the product, on a real node", () => {
  let node: TestNode;
  let namespace: AsyncDisposable;

  beforeAll(async () => {
    node = await joinNode();
    namespace = await makeNamespace(node, NAMESPACE, "baseline");
    await startTrainingOperator(node);
    await startJobSet(node);
  });
  afterAll(async () => namespace?.[Symbol.asyncDispose]());

  test("a TFJob with a chief and two workers succeeds; each replica knows its own task", async () => {
    const { busybox } = node.images;
    await apply(node, NAMESPACE, tfJob("chief-tf", busybox, { Chief: 1, Worker: 2 }));
    await reaches("tfjob/chief-tf", "Succeeded");
    const said = await outputs(`${TRAINING_JOB}=chief-tf`, 3);
    expect(said.map((line) => (JSON.parse(line) as { task: object }).task)).toEqual([
      { type: "chief", index: 0 },
      { type: "worker", index: 0 },
      { type: "worker", index: 1 },
    ]);
  });

  test("a TFJob of workers alone succeeds", async () => {
    await apply(node, NAMESPACE, tfJob("worker-tf", node.images.busybox, { Worker: 3 }));
    await reaches("tfjob/worker-tf", "Succeeded");
    const said = await outputs(`${TRAINING_JOB}=worker-tf`, 3);
    expect(said.map((line) => (JSON.parse(line) as { task: object }).task)).toEqual(
      [0, 1, 2].map((index) => ({ type: "worker", index })),
    );
  });

  test("a PyTorchJob with a master and two workers succeeds; each replica knows its rank", async () => {
    const { busybox } = node.images;
    await apply(node, NAMESPACE, pyTorchJob("torch", busybox, { Master: 1, Worker: 2 }));
    await reaches("pytorchjob/torch", "Succeeded");
    expect(await outputs(`${TRAINING_JOB}=torch`, 3)).toEqual([
      "rank 0 of 3, master torch-master-0",
      "rank 1 of 3, master torch-master-0",
      "rank 2 of 3, master torch-master-0",
    ]);
  });

  test("a JobSet of a driver and two workers completes; each pod has a name of its own", async () => {
    await apply(node, NAMESPACE, jobSet("set", node.images.busybox, { driver: 1, workers: 2 }));
    await reaches("jobset/set", "Completed");
    expect(await outputs(`${JOB_SET}=set`, 3)).toEqual([
      "set-driver-0-0",
      "set-workers-0-0",
      "set-workers-0-1",
    ]);
  });

  test("a TFJob whose container the operator could not tell its task is refused by its own webhook", async () => {
    const containers = [{ name: "main", image: node.images.busybox }];
    const refused = apply(node, NAMESPACE, {
      apiVersion: "kubeflow.org/v1",
      kind: "TFJob",
      metadata: { name: "refused" },
      spec: { tfReplicaSpecs: { Worker: { template: { spec: { containers } } } } },
    });
    await expect(refused).rejects.toThrow(
      /validator\.tfjob\.training-operator\.kubeflow\.org.*container with name tensorflow/s,
    );
  });

  /** Waits for a condition of a job. */
  async function reaches(job: string, condition: string): Promise<void> {
    await kubectl(node, NAMESPACE, "wait", `--for=condition=${condition}`, job, "--timeout=120s");
  }

  /** What the pods of a job wrote, in the order of their names, once so many succeeded: a job can succeed before all of them. */
  async function outputs(selector: string, count: number): Promise<readonly string[]> {
    const pods = await eventually(`${count} pods of ${selector} that succeeded`, async () => {
      const found = await list<Pod>(node, NAMESPACE, "pods", selector);
      const succeeded = found.filter(({ status }) => status?.phase === "Succeeded");
      return succeeded.length === count && found.length === count ? found : undefined;
    });
    const names = pods.map(({ metadata }) => metadata?.name ?? "").toSorted();
    const logs = names.map(async (name) => kubectl(node, NAMESPACE, "logs", name));
    return (await Promise.all(logs)).map((text) => text.trim());
  }
});
