import { setTimeout as sleep } from "node:timers/promises";
import { describeJob, isOver } from "./history.ts";
import { whenAllIsBack } from "../outages.ts";
import { heldObjects, stuckObjects } from "../remains.ts";
import type { Found } from "./verdict.ts";
import type { ExportWorld } from "./training-job.ts";

/** From the moment everything is up again: takeover of the lease, pods that are made again, Kubernetes' back-offs. */
const SETTLE_SECONDS = 180;
/** A version too many would be made by what a controller still has in its queue. */
const QUIET_MS = 10_000;

/** Brings everything up, waits until all is over, and says what there is then. */
export async function settle(world: ExportWorld, log: (line: string) => void): Promise<Found> {
  const { observer, signal } = world;
  const { history } = observer;
  await whenAllIsBack(world);
  log("everything is up again; waiting until all is over");
  const open = (): readonly string[] =>
    [...history.jobs.values()].flatMap((job) => {
      const exported = [...history.versions.values()].some(({ jobUid }) => jobUid === job.uid);
      const isDone = isOver(job) && (!job.succeeded || job.deletedFirst || exported);
      return isDone ? [] : [`${job.name} came to no end: ${describeJob(job)}`];
    });
  await observer
    .until("the end of all jobs", () => open().length === 0, { seconds: SETTLE_SECONDS, signal })
    .catch(() => signal.throwIfAborted());
  await sleep(QUIET_MS, undefined, { signal });
  // One that succeeded and was let go, but has no version, is lost, which is said elsewhere.
  const unfinished = [...history.jobs.values()]
    .filter((job) => !isOver(job))
    .map((job) => `${job.name} came to no end: ${describeJob(job)}`);
  const held = await heldObjects(world);
  const stuck = await stuckObjects(world);
  return {
    jobs: [...history.jobs.values()],
    versions: [...history.versions.values()],
    held: [...held, ...stuck],
    unfinished,
  };
}
