import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { startJobSet, startTrainingOperator } from "../../../deploy/local/operators.ts";
import type { Pod } from "../../../src/api/kube-types.ts";
import { localStorage, onHost } from "../faults/models.ts";
import { exportingJob } from "../faults/workloads.ts";
import {
  apply,
  eventually,
  joinNode,
  kubectl,
  list,
  makeNamespace,
  read,
  type TestNode,
} from "../node.ts";
import { giveBackLease, takeLease } from "./lease.ts";
import { exportedVersion, storedJob, versionsOf, whenLetGo } from "./outcome.ts";
import { jobSet, tfJob } from "./training-jobs.ts";

const NAMESPACE = "held-up";

/** Waits for a sign; the first time it then fails as an interrupted program does, the second time it succeeds. */
const FAIL_ONCE = `
  [ "$KUBEDL_MODEL_WRITER" = true ] || { sleep 20; exit 0; }
  if [ -e tried ]; then echo done >weights; exit 0; fi
  until [ -e go ]; do sleep 0.1; done
  touch tried; exit 137`;

/** Waits for a sign, however often it is started. */
const WAIT = "until [ -e go ]; do sleep 0.1; done; echo done >weights";

describe("while no controller of ours runs, nothing waits for it", () => {
  let node: TestNode;
  let namespace: AsyncDisposable;

  beforeAll(async () => {
    node = await joinNode();
    namespace = await makeNamespace(node, NAMESPACE, "baseline");
    await startTrainingOperator(node);
    await startJobSet(node);
  });
  afterEach(async () => giveBackLease(node));
  afterAll(async () => namespace?.[Symbol.asyncDispose]());

  test("a worker of a TFJob starts again after an exit code that may pass, and the job succeeds", async () => {
    const name = "exit-code";
    const training = { name, script: FAIL_ONCE, restartPolicy: "ExitCode" } as const;
    await apply(node, NAMESPACE, tfJob(node, training, { Worker: 2 }));
    await whenRunning(`training.kubeflow.org/job-name=${name}`, 2);
    await takeLease(node);
    await sign(name);
    const condition = ["--for=condition=Succeeded", `tfjob/${name}`, "--timeout=90s"];
    await kubectl(node, NAMESPACE, "wait", ...condition);
    const job = await storedJob(node, { namespace: NAMESPACE, kind: "tfjob", name });
    await giveBackLease(node);
    const version = await exportedVersion(node, NAMESPACE, job);
    expect(version.status?.imageBuildPhase).toBe("ImageBuildSucceeded");
  });

  test("a JobSet starts all its Jobs again, and completes", async () => {
    const name = "starts-again";
    await apply(
      node,
      NAMESPACE,
      jobSet(node, { name, script: FAIL_ONCE }, { driver: 1, workers: 1 }),
    );
    await whenRunning(`jobset.sigs.k8s.io/jobset-name=${name}`, 2);
    await takeLease(node);
    await sign(name);
    const condition = ["--for=condition=Completed", `jobset/${name}`, "--timeout=120s"];
    await kubectl(node, NAMESPACE, "wait", ...condition);
    const job = await storedJob(node, { namespace: NAMESPACE, kind: "jobset", name });
    await giveBackLease(node);
    const version = await exportedVersion(node, NAMESPACE, job);
    expect(version.status?.imageBuildPhase).toBe("ImageBuildSucceeded");
  });

  test("a drain of the node ends, and what it drove away runs on", async () => {
    const name = "drained";
    await start(name);
    await whenRunning(`job-name=${name}`, 1);
    await takeLease(node);
    const pods = [`--pod-selector=job-name=${name}`, "--timeout=60s"];
    await node.cluster.kubectl(["drain", node.cluster.nodeName, ...pods]);
    await node.cluster.kubectl(["uncordon", node.cluster.nodeName]);
    await whenRunning(`job-name=${name}`, 1);
    await sign(name);
    await kubectl(
      node,
      NAMESPACE,
      "wait",
      "--for=condition=Complete",
      `job/${name}`,
      "--timeout=60s",
    );
    const job = await storedJob(node, { namespace: NAMESPACE, kind: "job", name });
    await giveBackLease(node);
    const version = await exportedVersion(node, NAMESPACE, job);
    expect(version.status?.imageBuildPhase).toBe("ImageBuildSucceeded");
  });

  test("the pods of a deleted job go; the job itself goes when a controller is back, without a version", async () => {
    const name = "deleted";
    await start(name);
    await whenRunning(`job-name=${name}`, 1);
    const of = { namespace: NAMESPACE, kind: "job", name };
    const job = await storedJob(node, of);
    await takeLease(node);
    await kubectl(node, NAMESPACE, "delete", "job", name, "--cascade=foreground", "--wait=false");
    await eventually("the end of its pods", async () => {
      return (await list<Pod>(node, NAMESPACE, "pods", `job-name=${name}`)).length === 0;
    });
    await giveBackLease(node);
    await whenLetGo(node, of);
    expect(await read(node, NAMESPACE, "job", name)).toBeUndefined();
    expect(await versionsOf(node, NAMESPACE, job)).toEqual([]);
  });

  async function start(name: string): Promise<void> {
    const storage = localStorage(node, `/models/${name}`);
    const job = exportingJob(node, name, { modelName: name, storage }, WAIT) as {
      spec: { backoffLimit: number };
    };
    await apply(node, NAMESPACE, { ...job, spec: { ...job.spec, backoffLimit: 3 } });
  }

  async function whenRunning(selector: string, count: number): Promise<void> {
    await eventually(
      `${count} running pods of ${selector}`,
      async () => {
        const pods = await list<Pod>(node, NAMESPACE, "pods", selector);
        const live = pods.filter(({ metadata }) => metadata?.deletionTimestamp === undefined);
        return live.filter(({ status }) => status?.phase === "Running").length === count;
      },
      { seconds: 90 },
    );
  }

  async function sign(name: string): Promise<void> {
    await writeFile(join(await onHost(node, `/models/${name}`), "go"), "");
  }
});
