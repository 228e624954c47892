import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { placeOf } from "../../../deploy/local/place.ts";
import type { Pod } from "../../../src/api/kube-types.ts";
import {
  apply,
  eventually,
  joinNode,
  kubectl,
  makeNamespace,
  read,
  whenBuilt,
  type TestNode,
} from "../node.ts";
import { hashesIn, modelVersion, writeModel } from "./models.ts";
import { findProcesses, signalAll } from "./processes.ts";
import { logsByPod, servingPod } from "./workloads.ts";

const NAMESPACE = "faults-loader";
const PATH = `/models/${NAMESPACE}/sharded`;
const SHARDS = 2000;

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
    await apply(node, NAMESPACE, servingPod(node, "interrupted", "sharded"));
    const { metadata } = await eventually("the pod", async () =>
      read<Pod>(node, NAMESPACE, "pod", "interrupted"),
    );
    const { name, network } = inject("cluster");
    const volume = `kubelet/pods/${metadata?.uid}/volumes/kubernetes.io~empty-dir/kubedl-model`;
    const partial = join(placeOf(name, network).run, volume, ".partial/shards");
    await eventually(
      "a part of the copy",
      async () => (await readdir(partial).catch(() => [])).length > 0,
      { everyMs: 2 },
    );
    signalAll(await findProcesses(".partial", metadata?.uid), "SIGKILL");
    expect((await readdir(partial)).length).toBeLessThan(SHARDS);

    const ready = ["--for=condition=Ready", "pod/interrupted", "--timeout=60s"];
    await kubectl(node, NAMESPACE, "wait", ...ready);
    const pod = await read<Pod>(node, NAMESPACE, "pod", "interrupted");
    expect(pod?.status?.initContainerStatuses?.[0]?.restartCount).toBe(1);
    const logs = await logsByPod(node, NAMESPACE, "app=interrupted");
    expect(logs["interrupted"]).toBe(await hashesIn(directory));
  });
});
