import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Pod } from "../../../src/api/kube-types.ts";
import {
  apply,
  joinNode,
  kubectl,
  makeNamespace,
  read,
  whenBuilt,
  type TestNode,
} from "../node.ts";
import { holdLoader } from "./loaders.ts";
import { hashesIn, modelVersion, writeModel } from "./models.ts";
import { logsByPod, servingPod } from "./workloads.ts";

const NAMESPACE = "faults-loader";
const PATH = `/models/${NAMESPACE}/sharded`;
const SHARDS = 2000;
const COPY = { "model.kubedl.io/delivery": "copy" };

describe("a loader", () => {
  let node: TestNode;
  let namespace: AsyncDisposable;
  let directory: string;

  beforeAll(async () => {
    node = await joinNode();
    namespace = await makeNamespace(node, NAMESPACE, "baseline");
    directory = await writeModel(node, PATH);
    // So many that copying them takes its time, in a directory that nobody may write to.
    await mkdir(join(directory, "shards"), { mode: 0o555 });
    for (let shard = 0; shard < SHARDS; shard += 1)
      await writeFile(join(directory, "shards", String(shard)), `${shard}`.repeat(100));
    await apply(node, NAMESPACE, modelVersion(node, "sharded", PATH));
    await whenBuilt(node, NAMESPACE, "sharded");
  });
  afterAll(async () => namespace?.[Symbol.asyncDispose]());

  test("that is killed half-way starts again, and the pod sees the whole model", async () => {
    await apply(node, NAMESPACE, servingPod(node, "interrupted", "sharded", COPY));
    const loader = await holdLoader(node, NAMESPACE, "interrupted", "shards");
    expect(loader.copied).toBeLessThan(SHARDS);
    loader.kill();

    const ready = ["--for=condition=Ready", "pod/interrupted", "--timeout=60s"];
    await kubectl(node, NAMESPACE, "wait", ...ready);
    const pod = await read<Pod>(node, NAMESPACE, "pod", "interrupted");
    expect(pod?.status?.initContainerStatuses?.[0]?.restartCount).toBe(1);
    const logs = await logsByPod(node, NAMESPACE, "app=interrupted");
    expect(logs["interrupted"]).toBe(await hashesIn(directory));
  });
});
