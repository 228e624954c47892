import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { inject } from "vitest";
import { placeOf } from "../../../deploy/local/place.ts";
import type { Pod } from "../../../src/api/kube-types.ts";
import { eventually, read, type TestNode } from "../node.ts";
import { findProcesses, signalAll } from "./processes.ts";

/** A loader that stands still in the middle of its copy. */
export interface HeldLoader {
  /** How many entries it has made in the directory. */
  readonly copied: number;
  readonly resume: () => void;
  readonly kill: () => void;
}

/** Stops the loader of a pod while it copies a directory of the model, at a moment when a part of that is there. */
export async function holdLoader(
  node: TestNode,
  namespace: string,
  name: string,
  directory: string,
): Promise<HeldLoader> {
  const pod = await eventually("the pod", async () => read<Pod>(node, namespace, "pod", name));
  const uid = pod.metadata?.uid ?? "";
  const { name: cluster, network } = inject("cluster");
  const volume = `kubelet/pods/${uid}/volumes/kubernetes.io~empty-dir/kubedl-model`;
  const partial = join(placeOf(cluster, network).run, volume, ".model.partial", directory);
  const entries = async () => readdir(partial).catch(() => []);
  const inTime = { everyMs: 2 };
  await eventually("a part of the copy", async () => (await entries()).length > 0, inTime);
  const processes = await findProcesses(".partial", uid);
  signalAll(processes, "SIGSTOP");
  return {
    copied: (await entries()).length,
    resume: () => signalAll(processes, "SIGCONT"),
    kill: () => signalAll(processes, "SIGKILL"),
  };
}
