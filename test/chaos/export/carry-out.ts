import { resources } from "../../../src/kube/resources.ts";
import { carryOut, type Outcome } from "../carry-out.ts";
import { takeAway } from "../outages.ts";
import { create } from "../world.ts";
import { isOver, describeJob } from "./history.ts";
import {
  deleteJob,
  deletePod,
  deleteVersion,
  evictPod,
  suspendJob,
  versionsOf,
  whenIs,
  whenOver,
} from "./job-faults.ts";
import { describeShape, type Run } from "./plan.ts";
import { trainingJob, type ExportWorld } from "./training-job.ts";

/** Makes the job of a run, does to it what is planned, and waits until it is over, as far as one sees. */
export async function exportOnce(world: ExportWorld, run: Run): Promise<Outcome> {
  const uids: string[] = [];
  return carryOut(world, run, {
    shape: describeShape(run),
    act: async () => go(world, run, uids),
    result: () => resultOf(world, uids),
  });
}

/** What was done, in words where that is not certain. */
async function go(world: ExportWorld, run: Run, uids: string[]): Promise<string> {
  const { fault } = run;
  const isGoodAtFirst = fault.is !== "fails" && fault.is !== "fails and is run again";
  const uid = await createJob(world, run, isGoodAtFirst);
  uids.push(uid);
  const did = await meddle(world, run, uid);
  await whenOver(world, uid, isOverIn(world));
  if (fault.is !== "fails and is run again") return did;
  await deleteJob(world, run, uid, "Background");
  await whenOver(world, uid, (each) => world.observer.history.jobs.get(each)?.gone === true);
  const again = await createJob(world, run, true);
  uids.push(again);
  await whenOver(world, again, isOverIn(world));
  return "failed, then ran again";
}

async function createJob(world: ExportWorld, run: Run, isGood: boolean): Promise<string> {
  return create(world, resources.jobs, trainingJob(run, isGood, world.surroundings));
}

async function meddle(world: ExportWorld, run: Run, uid: string): Promise<string> {
  const { fault } = run;
  if ("at" in fault && !(await whenIs(world, uid, fault.at))) return "it was over before";
  switch (fault.is) {
    case "nothing":
    case "fails":
    case "fails and is run again":
      return "";
    case "job deleted":
      await deleteJob(world, run, uid, fault.propagation);
      return "";
    case "pod deleted":
      return deletePod(world, uid);
    case "pod evicted":
      return evictPod(world, uid);
    case "suspended":
      await suspendJob(world, run, fault.forMs);
      return "";
    case "version deleted":
      return deleteVersion(world, uid, fault.delayMs);
    case "leader killed":
    case "both replicas killed":
    case "leader deleted":
    case "scaled to 0":
    case "API server away":
      return takeAway(world, fault);
  }
}

function isOverIn({ observer }: ExportWorld): (uid: string) => boolean {
  return (uid) => {
    const job = observer.history.jobs.get(uid);
    return job !== undefined && isOver(job);
  };
}

function resultOf(world: ExportWorld, uids: readonly string[]): string {
  const parts = uids.map((uid) => {
    const job = world.observer.history.jobs.get(uid);
    const names = versionsOf(world, uid).map(({ name }) => name);
    const state = job === undefined ? "never seen" : describeJob(job);
    return `${state}, ${names.length === 0 ? "no version" : names.join(" and ")}`;
  });
  return parts.join("; then ");
}
