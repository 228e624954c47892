import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Pod } from "../../../src/api/kube-types.ts";
import { builtDigest, type ModelVersion } from "../../../src/api/modelversion.ts";
import {
  apply,
  eventually,
  joinNode,
  kubectl,
  list,
  makeNamespace,
  modelImagesOf,
  whenBuilt,
  type TestNode,
} from "../node.ts";
import { hashesIn, modelVersion, writeModel } from "./models.ts";
import { crash, lose, replicas, whenReplicasAreReady } from "./replicas.ts";
import { logsByPod, servingDeployment, servingPod } from "./workloads.ts";

const NAMESPACE = "faults-replica";
const PATH = `/models/${NAMESPACE}/served`;
const REPLICAS = 8;
const SINGLE_PODS = 8;

describe("replicas that are killed while pods are created", () => {
  let node: TestNode;
  let namespace: AsyncDisposable;
  let version: ModelVersion;
  let directory: string;

  beforeAll(async () => {
    node = await joinNode();
    namespace = await makeNamespace(node, NAMESPACE, "baseline");
    directory = await writeModel(node, PATH);
    await apply(node, NAMESPACE, modelVersion(node, "served", PATH));
    version = await whenBuilt(node, NAMESPACE, "served");
  });
  afterAll(async () => {
    await whenReplicasAreReady(node);
    await namespace?.[Symbol.asyncDispose]();
  });

  test("neither lose a pod nor let one run without its model", async () => {
    const [first, second] = await replicas(node);
    if (first === undefined || second === undefined) throw new Error("there are no two replicas");
    await apply(node, NAMESPACE, servingDeployment(node, "deployed", "served", REPLICAS));
    for (let index = 0; index < SINGLE_PODS; index += 1) {
      if (index === 2) await crash(first);
      if (index === 4) await lose(node, second);
      const pod = servingPod(node, `single-${index}`, "served");
      // A refusal is what the user of a bare pod sees while nobody answers; controllers try again by themselves.
      await eventually(`pod single-${index}`, async () => {
        await apply(node, NAMESPACE, pod);
        return true;
      });
    }
    const all = ["pod", "--selector=faults=serving", "--for=condition=Ready", "--timeout=120s"];
    await eventually("the Deployment's pods", async () => {
      const pods = await list<Pod>(node, NAMESPACE, "pods", "app=deployed");
      return pods.length === REPLICAS;
    });
    await kubectl(node, NAMESPACE, "wait", ...all);
    const pods = await list<Pod>(node, NAMESPACE, "pods", "faults=serving");
    expect(pods.length).toBe(REPLICAS + SINGLE_PODS);
    const image = `${version.spec.imageRepo}@${builtDigest(version)}`;
    const seen = pods.map((pod) => ({
      models: modelImagesOf(pod),
      restarts: pod.status?.containerStatuses?.[0]?.restartCount,
    }));
    const wanted = { models: [`image-volume ${image}`], restarts: 0 };
    expect(seen).toEqual(pods.map(() => wanted));
    const logs = await logsByPod(node, NAMESPACE, "faults=serving");
    const hashes = await hashesIn(directory);
    expect(Object.values(logs)).toEqual(pods.map(() => hashes));
  });
});
