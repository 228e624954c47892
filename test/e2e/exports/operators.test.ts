import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startJobSet, startTrainingOperator } from "../../../deploy/local/operators.ts";
import { LABELS, VERSION_ANNOTATIONS } from "../../../src/api/annotations.ts";
import type { ModelVersion } from "../../../src/api/modelversion.ts";
import { hashesIn, hashesOfImage, onHost } from "../faults/models.ts";
import { apply, joinNode, kubectl, makeNamespace, read, whenSaid, type TestNode } from "../node.ts";
import { exportedVersion, storedJob, versionsOf, whenLetGo } from "./outcome.ts";
import { exportOf, jobSet, pyTorchJob, tfJob } from "./training-jobs.ts";

const NAMESPACE = "exports";

/** What each pod writes tells which pod it is. */
const WRITE = 'echo "$(hostname) $KUBEDL_MODEL_WRITER" >writer; head -c 5000 /dev/urandom >weights';

describe("the model of a job of an operator that was installed after modelhook, on a real node", () => {
  let node: TestNode;
  let namespace: AsyncDisposable;

  beforeAll(async () => {
    node = await joinNode();
    namespace = await makeNamespace(node, NAMESPACE, "baseline");
    await kubectl(node, NAMESPACE, "label", "namespace", NAMESPACE, `${LABELS.injection}=enabled`);
    await startTrainingOperator(node);
    await startJobSet(node);
  });
  afterAll(async () => namespace?.[Symbol.asyncDispose]());

  test("is that of the chief of a TFJob, of which nothing is left, not even its pods", async () => {
    const name = "chief";
    const of = { namespace: NAMESPACE, kind: "tfjob", name };
    await onHost(node, `/models/${name}`);
    await apply(node, NAMESPACE, tfJob(node, { name, script: WRITE }, { Chief: 1, Worker: 2 }));
    const job = await storedJob(node, of);
    const version = await exportedVersion(node, NAMESPACE, job);
    await whenLetGo(node, of);
    expect(await read(node, NAMESPACE, "tfjob", name)).toBeUndefined();
    expect(version.spec.createdBy).toBe("TFJob/chief");
    expect(version.metadata.annotations).toMatchObject({
      [VERSION_ANNOTATIONS.jobKind]: "TFJob",
      [VERSION_ANNOTATIONS.pod]: "chief-chief-0",
      [VERSION_ANNOTATIONS.node]: node.cluster.nodeName,
      [VERSION_ANNOTATIONS.trainingImage]: node.images.busybox,
      [VERSION_ANNOTATIONS.startedAt]: expect.any(String) as string,
      [VERSION_ANNOTATIONS.completedAt]: expect.any(String) as string,
    });
    expect(await modelIn(version)).toEqual({ isWhole: true, writer: "chief-chief-0 true" });
    await whenSaid(
      node,
      NAMESPACE,
      { kind: "TFJob", name },
      "Warning WriterSubset: 1 of 3 pods writes the model (chief 0); what the others write to the same path is dropped, and may be no more than 10Gi",
    );
  });

  test("is that of worker 0 of a TFJob without a chief", async () => {
    const name = "workers";
    await apply(node, NAMESPACE, tfJob(node, { name, script: WRITE }, { Worker: 3 }));
    const job = await storedJob(node, { namespace: NAMESPACE, kind: "tfjob", name });
    const version = await exportedVersion(node, NAMESPACE, job);
    expect(await modelIn(version)).toEqual({ isWhole: true, writer: "workers-worker-0 true" });
  });

  test("is that of the master of a PyTorchJob that a ModelBinding selects", async () => {
    const name = "torch";
    const labels = { trains: name };
    const binding = {
      apiVersion: "model.kubedl.io/v1alpha1",
      kind: "ModelBinding",
      metadata: { name },
      spec: { selector: { matchLabels: labels }, export: exportOf(node, name) },
    };
    await apply(node, NAMESPACE, binding);
    const asked = { name, script: WRITE, asks: false, labels };
    await apply(node, NAMESPACE, pyTorchJob(node, asked, { Master: 1, Worker: 2 }));
    const of = { namespace: NAMESPACE, kind: "pytorchjob", name };
    const job = await storedJob(node, of);
    const version = await exportedVersion(node, NAMESPACE, job);
    await whenLetGo(node, of);
    expect(version.spec.createdBy).toBe("PyTorchJob/torch");
    expect(await modelIn(version)).toEqual({ isWhole: true, writer: "torch-master-0 true" });
  });

  test("is that of the first pod of a JobSet", async () => {
    const name = "set";
    const made = jobSet(node, { name, script: WRITE }, { driver: 1, workers: 2 });
    await apply(node, NAMESPACE, made);
    const of = { namespace: NAMESPACE, kind: "jobset", name };
    const job = await storedJob(node, of);
    const version = await exportedVersion(node, NAMESPACE, job);
    await whenLetGo(node, of);
    expect(await modelIn(version)).toEqual({ isWhole: true, writer: "set-driver-0-0 true" });
  });

  test("does not come of a TFJob that fails, and comes once when it runs again under its name", async () => {
    const name = "again";
    const of = { namespace: NAMESPACE, kind: "tfjob", name };
    await apply(node, NAMESPACE, tfJob(node, { name, script: "exit 1" }, { Worker: 2 }));
    const failed = await storedJob(node, of);
    await whenLetGo(node, of);
    await kubectl(node, NAMESPACE, "delete", "tfjob", name, "--ignore-not-found", "--timeout=60s");
    await apply(node, NAMESPACE, tfJob(node, { name, script: WRITE }, { Worker: 2 }));
    const job = await storedJob(node, of);
    const version = await exportedVersion(node, NAMESPACE, job);
    expect(await versionsOf(node, NAMESPACE, failed)).toEqual([]);
    expect(await modelIn(version)).toEqual({ isWhole: true, writer: "again-worker-0 true" });
  });

  /** What the image of a version holds: its files, and who wrote them. */
  async function modelIn(version: ModelVersion): Promise<object> {
    const directory = await onHost(node, `/models/${version.spec.modelName}`);
    const image = `${version.spec.imageRepo}@${version.status?.digest}`;
    const isWhole = (await hashesOfImage(node, image)) === (await hashesIn(directory));
    const writer = await readFile(join(directory, "writer"), "utf8");
    return { isWhole, writer: writer.trim() };
  }
});
