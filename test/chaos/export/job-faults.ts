import { setTimeout as sleep } from "node:timers/promises";
import { resourcePath, resources } from "../../../src/kube/resources.ts";
import type { SeenPod, SeenVersion } from "./history.ts";
import type { Moment, Run } from "./plan.ts";
import type { ExportWorld } from "./training-job.ts";
import { nameOf } from "../verdict.ts";
import { merge, PATIENCE_SECONDS, persist, remove, unlessGone } from "../world.ts";

/** Waits for a moment in the life of a job; false when the job was over before. */
export async function whenIs(world: ExportWorld, uid: string, moment: Moment): Promise<boolean> {
  const { observer, signal } = world;
  const isEnded = (): boolean => {
    const job = observer.history.jobs.get(uid);
    return job?.succeeded === true || job?.failed === true || job?.gone === true;
  };
  const trains = (): boolean => runningPods(world, uid).length > 0;
  const options = { seconds: PATIENCE_SECONDS, signal };
  let isMissed = false;
  switch (moment.after) {
    case "creation":
      break;
    case "training":
      await observer.until(`training of ${uid}`, () => trains() || isEnded(), options);
      isMissed = !trains();
      break;
    case "completion":
      await observer.until(`completion of ${uid}`, isEnded, options);
      break;
  }
  await sleep(moment.delayMs, undefined, { signal });
  return !isMissed;
}

/** Waits until the job has gone or has been let go. */
export async function whenOver(
  world: ExportWorld,
  uid: string,
  isOver: (uid: string) => boolean,
): Promise<void> {
  const options = { seconds: PATIENCE_SECONDS, signal: world.signal };
  await world.observer.until(`the end of job ${uid}`, () => isOver(uid), options);
}

/** Deletes the job. */
export async function deleteJob(
  world: ExportWorld,
  run: Run,
  uid: string,
  propagationPolicy: "Foreground" | "Background",
): Promise<void> {
  const ref = { namespace: world.namespace, name: nameOf(run) };
  await remove(world, resources.jobs, ref, { uid, propagationPolicy });
}

/** Deletes a pod of the job that runs, as people do. */
export async function deletePod(world: ExportWorld, uid: string): Promise<string> {
  const [pod] = runningPods(world, uid);
  if (pod === undefined) return "no pod ran any more";
  await remove(world, resources.pods, refOf(world, pod));
  return `deleted ${pod.name}`;
}

/** Evicts a pod of the job that runs, as drains do. */
export async function evictPod(world: ExportWorld, uid: string): Promise<string> {
  const [pod] = runningPods(world, uid);
  if (pod === undefined) return "no pod ran any more";
  const { api, signal } = world;
  const ref = refOf(world, pod);
  const path = resourcePath(resources.pods, { ...ref, subresource: "eviction" });
  const body = { apiVersion: "policy/v1", kind: "Eviction", metadata: ref };
  await persist(`evicting ${pod.name}`, signal, async () =>
    unlessGone(async () => api.request("POST", path, { body, signal, timeoutMs: 10_000 })),
  );
  return `evicted ${pod.name}`;
}

/** Suspends the job for a while. */
export async function suspendJob(world: ExportWorld, run: Run, forMs: number): Promise<void> {
  const ref = { namespace: world.namespace, name: nameOf(run) };
  await merge(world, resources.jobs, ref, { spec: { suspend: true } });
  await sleep(forMs, undefined, { signal: world.signal });
  await merge(world, resources.jobs, ref, { spec: { suspend: false } });
}

/** Deletes the version of the job some time after it was made. */
export async function deleteVersion(
  world: ExportWorld,
  uid: string,
  delayMs: number,
): Promise<string> {
  const { observer, signal, namespace } = world;
  const options = { seconds: PATIENCE_SECONDS, signal };
  await observer.until("the version to delete", () => versionsOf(world, uid).length > 0, options);
  const [{ name } = { name: "" }] = versionsOf(world, uid);
  await sleep(delayMs, undefined, { signal });
  await remove(world, resources.modelversions, { namespace, name });
  return `deleted ${name}`;
}

/** Versions of the job that were ever seen. */
export function versionsOf({ observer }: ExportWorld, uid: string): readonly SeenVersion[] {
  return [...observer.history.versions.values()].filter(({ jobUid }) => jobUid === uid);
}

function runningPods({ observer }: ExportWorld, uid: string): readonly SeenPod[] {
  return [...observer.history.pods.values()].filter(
    (pod) => pod.jobUid === uid && pod.phase === "Running" && !pod.deleted,
  );
}

function refOf({ namespace }: ExportWorld, { name }: SeenPod): { namespace: string; name: string } {
  return { namespace, name };
}
