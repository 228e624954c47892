import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Pod } from "../../../src/api/kube-types.ts";
import type { ModelVersion } from "../../../src/api/modelversion.ts";
import {
  apply,
  eventually,
  joinNode,
  kubectl,
  makeNamespace,
  read,
  whenBuilt,
  whenSaid,
  type TestNode,
} from "../node.ts";
import { builtOnce, resultOf } from "./builds.ts";
import { hashesIn, modelVersion, writeModel } from "./models.ts";
import { CATCHABLE_BYTES, holdPush } from "./push.ts";
import { servingPod } from "./workloads.ts";

const NAMESPACE = "faults-registry";

describe("a registry that goes away while it is pushed to", () => {
  let node: TestNode;
  let namespace: AsyncDisposable;
  const directories: Record<string, string> = {};

  beforeAll(async () => {
    node = await joinNode();
    namespace = await makeNamespace(node, NAMESPACE, "baseline");
    await startBuild("pushing", CATCHABLE_BYTES);
    const push = await holdPush(node, NAMESPACE, "pushing");
    await node.cluster.stop("registry");
    push.resume();
    await startBuild("late");
    await apply(node, NAMESPACE, servingPod(node, "waiting", "pushing"));
  });
  afterAll(async () => {
    await node.cluster.start("registry");
    await namespace?.[Symbol.asyncDispose]();
  });

  test.each(["pushing", "late"])("is what the version %s and its events say", async (name) => {
    const { status } = await eventually(`a failed attempt of ${name}`, async () => {
      const live = await read<ModelVersion>(node, NAMESPACE, "modelversion", name);
      return condition(live, "Built")?.status === "False" ? live : undefined;
    });
    expect(status?.imageBuildPhase).toBe("ImageBuilding");
    expect(status?.digest).toBeUndefined();
    const words = /attempts have failed since \S+ for a cause outside of the build, .*connect/s;
    const text = expect.stringMatching(words) as string;
    expect(status?.conditions).toContainEqual(
      expect.objectContaining({ type: "Built", reason: "RegistryUnreachable", message: text }),
    );
    expect(status?.message).toMatch(words);
    await whenSaid(
      node,
      NAMESPACE,
      { kind: "ModelVersion", name },
      /^Warning BuildRetried: RegistryUnreachable: attempts have failed/,
    );
  });

  test("holds back the pods that wait for the model", async () => {
    const pod = await read<Pod>(node, NAMESPACE, "pod", "waiting");
    expect(pod?.spec?.schedulingGates).toEqual([{ name: "model.kubedl.io/build" }]);
  });

  test("and comes back lets the builds end, each with one image, and the pods run", async () => {
    await node.cluster.start("registry");
    for (const [name, directory] of Object.entries(directories)) {
      const version = await whenBuilt(node, NAMESPACE, name);
      expect(await resultOf(node, version)).toEqual(builtOnce(version, await hashesIn(directory)));
      expect(version.status?.startedAttempts).toBeGreaterThan(1);
      expect(condition(version, "Built")).toMatchObject({
        status: "True",
        reason: "BuildSucceeded",
      });
    }
    const ready = ["--for=condition=Ready", "pod/waiting", "--timeout=60s"];
    await kubectl(node, NAMESPACE, "wait", ...ready);
  });

  async function startBuild(name: string, bytes = 0): Promise<void> {
    const path = `/models/${NAMESPACE}/${name}`;
    directories[name] = await writeModel(node, path, bytes);
    await apply(node, NAMESPACE, modelVersion(node, name, path));
  }
});

function condition(version: ModelVersion | undefined, type: string) {
  return version?.status?.conditions?.find((each) => each.type === type);
}
