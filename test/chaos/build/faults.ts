import { setTimeout as sleep } from "node:timers/promises";
import { resources } from "../../../src/kube/resources.ts";
import { signalAll } from "../../e2e/faults/processes.ts";
import { remove } from "../world.ts";
import { podsOf, processesOf } from "./moments.ts";
import type { Container } from "./plan.ts";
import type { BuildWorld } from "./world.ts";

/** Kills what runs in a container of a version's build. */
export async function killContainer(
  world: BuildWorld,
  uid: string,
  container: Container,
): Promise<string> {
  const pids = await processesOf(world, uid, container);
  signalAll(pids, "SIGKILL");
  return pids.length === 0 ? "it did not run any more" : `killed ${pids.length}`;
}

/** Takes the pods of a version's build out of the API, whatever still runs. */
export async function forceDeletePods(world: BuildWorld, uid: string): Promise<string> {
  const pods = podsOf(world, uid);
  for (const { name } of pods) {
    const ref = { namespace: world.namespace, name };
    await remove(world, resources.pods, ref, { gracePeriodSeconds: 0 });
  }
  return `deleted ${pods.map(({ name }) => name).join(" and ") || "no pod"}`;
}

/** Deletes the Jobs of a version's build, and by that their pods. */
export async function deleteJobs(world: BuildWorld, uid: string): Promise<string> {
  const { namespace, observer } = world;
  const jobs = [...observer.history.jobs.values()].filter(({ versionUid }) => versionUid === uid);
  for (const { name } of jobs) {
    await remove(world, resources.jobs, { namespace, name }, { propagationPolicy: "Background" });
  }
  return `deleted ${jobs.map(({ name }) => name).join(" and ") || "no Job"}`;
}

/** Kills the registry, and starts it again after a while. */
export async function killRegistry(world: BuildWorld, forMs: number): Promise<void> {
  const { cluster, signal } = world;
  await world.registryAlone(async () => {
    await cluster.stop("registry", "KILL");
    try {
      await sleep(forMs, undefined, { signal });
    } finally {
      if (!signal.aborted) await cluster.start("registry");
    }
  });
}
