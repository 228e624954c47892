import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LABELS, MANAGED_BY } from "../../../src/api/annotations.ts";
import type { Job, KubeObject, PersistentVolume } from "../../../src/api/kube-types.ts";
import type { Model } from "../../../src/api/model.ts";
import type { ModelVersion } from "../../../src/api/modelversion.ts";
import {
  apply,
  eventsOn,
  eventually,
  joinNode,
  kubectl,
  list,
  makeNamespace,
  read,
  whenBuilt,
  type TestNode,
} from "../node.ts";
import { builtOnce, resultOf, tracesOf, whenNothingIsLeft } from "./builds.ts";
import { hashesIn, localStorage, modelVersion, writeModel } from "./models.ts";
import { CATCHABLE_BYTES, holdPush } from "./push.ts";
import { exportingJob, servingPod } from "./workloads.ts";

const NAMESPACE = "faults-deletion";

describe("deleted", () => {
  let node: TestNode;
  let namespace: AsyncDisposable;

  beforeAll(async () => {
    node = await joinNode();
    namespace = await makeNamespace(node, NAMESPACE, "baseline");
  });
  afterAll(async () => namespace?.[Symbol.asyncDispose]());

  test.concurrent("while it is built, a version takes all along but the data, and leaves its name", async () => {
    const path = `/models/${NAMESPACE}/unfinished`;
    const directory = await writeModel(node, path, CATCHABLE_BYTES);
    const hashes = await hashesIn(directory);
    await apply(node, NAMESPACE, modelVersion(node, "unfinished", path));
    await holdPush(node, NAMESPACE, "unfinished");
    const version = await versionCalled("unfinished");
    expect(await tracesOf(node, NAMESPACE, labelOf(version))).toHaveLength(4);
    await kubectl(node, NAMESPACE, "delete", "modelversion/unfinished", "--timeout=60s");
    await whenNothingIsLeft(node, version);
    expect(await hashesIn(directory)).toBe(hashes);

    await apply(node, NAMESPACE, modelVersion(node, "unfinished", path));
    const again = await whenBuilt(node, NAMESPACE, "unfinished");
    expect(await resultOf(node, again)).toEqual(builtOnce(again, hashes));
  });

  test.concurrent("once it is built, a version gives its model back to the one before it", async () => {
    const path = `/models/${NAMESPACE}/followed`;
    const directory = await writeModel(node, path);
    const hashes = await hashesIn(directory);
    for (const name of ["older", "newer"]) {
      await apply(node, NAMESPACE, modelVersion(node, name, path, "followed"));
      await whenLatestIs("followed", name);
    }
    await kubectl(node, NAMESPACE, "delete", "modelversion/newer", "--timeout=60s");
    await whenLatestIs("followed", "older");
    await kubectl(node, NAMESPACE, "delete", "modelversion/older", "--timeout=60s");
    await whenLatestIs("followed", undefined);
    expect(await hashesIn(directory)).toBe(hashes);
  });

  test.concurrent("after its build has failed, a version takes along what was kept for a retry", async () => {
    await apply(node, NAMESPACE, modelVersion(node, "failed", `/models/${NAMESPACE}/nowhere`));
    const version = await whenBuilt(node, NAMESPACE, "failed");
    expect(await tracesOf(node, NAMESPACE, labelOf(version))).toContainEqual(
      expect.stringMatching(/^PersistentVolume\//),
    );
    await kubectl(node, NAMESPACE, "delete", "modelversion/failed", "--timeout=60s");
    await whenNothingIsLeft(node, version);
  });

  test.concurrent("with builds, jobs and pods under way in it, a namespace goes", async () => {
    const ending = "faults-ending";
    const path = `/models/${ending}/building`;
    await makeNamespace(node, ending, "baseline");
    const directory = await writeModel(node, path, CATCHABLE_BYTES);
    const hashes = await hashesIn(directory);
    await apply(node, ending, modelVersion(node, "building", path));
    await holdPush(node, ending, "building");
    await kubectl(
      node,
      ending,
      "create",
      "quota",
      "full",
      "--hard=count/modelversions.model.kubedl.io=1",
    );
    await apply(
      node,
      ending,
      servingPod(node, "waiting", "building"),
      jobIn(ending, "running", "sleep 3600"),
      jobIn(ending, "refused", "echo weights >weights.bin"),
    );
    await eventually("the running job", async () => {
      const job = await read<Job>(node, ending, "job", "running");
      return job?.status?.ready === 1;
    });
    await eventually("the refusal", async () => {
      const events = await eventsOn(node, ending, "Job", "refused");
      return events.some((event) => /Warning CreateRefused: .*exceeded quota/.test(event));
    });

    await node.cluster.kubectl(["delete", "namespace", ending, "--timeout=90s"]);
    await eventually("the end of its volumes", async () => {
      const volumes = await list<PersistentVolume>(
        node,
        "default",
        "persistentvolumes",
        `${MANAGED_BY}=modelhook`,
      );
      return volumes.every(({ spec }) => spec?.claimRef?.namespace !== ending);
    });
    expect(await hashesIn(directory)).toBe(hashes);
  });

  function jobIn(target: string, name: string, script: string): object {
    const storage = localStorage(node, `/models/${target}/${name}`);
    return exportingJob(node, name, { modelName: name, storage }, script);
  }

  async function versionCalled(name: string): Promise<ModelVersion> {
    const version = await read<ModelVersion>(node, NAMESPACE, "modelversion", name);
    if (version === undefined) throw new Error(`there is no version ${name}`);
    return version;
  }

  async function whenLatestIs(model: string, version: string | undefined): Promise<void> {
    await eventually(`${version} as the latest version of ${model}`, async () => {
      const live = await read<Model>(node, NAMESPACE, "model", model);
      return live !== undefined && live.status?.latestVersion?.modelVersion === version;
    });
  }
});

function labelOf({ metadata }: KubeObject): string {
  return `${LABELS.versionUid}=${metadata?.uid}`;
}
