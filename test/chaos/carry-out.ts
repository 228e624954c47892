import { isOver, describeJob } from "./history.ts";
import {
  createJob,
  deleteJob,
  deletePod,
  deleteVersion,
  evictPod,
  suspendJob,
  versionsOf,
  whenIs,
  whenOver,
} from "./job-faults.ts";
import { deleteLeader, killAll, killLeader, scaleToZero, stopApiServer } from "./outages.ts";
import { describeRun, type Run } from "./plan.ts";
import { nameOf } from "./training-job.ts";
import type { World } from "./world.ts";

/** What became of a run. */
export interface Outcome {
  readonly run: Run;
  /** One line for people. */
  readonly line: string;
  /** Why it came to no end; undefined when it did. */
  readonly fault?: string;
}

/** Makes the job of a run, does to it what is planned, and waits until it is over, as far as one sees. */
export async function carryOut(world: World, run: Run): Promise<Outcome> {
  const began = performance.now();
  const uids: string[] = [];
  const say = (result: string): string => {
    const seconds = ((performance.now() - began) / 1000).toFixed(1).padStart(5);
    return `${nameOf(run).padEnd(7)} ${seconds} s  ${describeRun(run)} -> ${result}`;
  };
  try {
    const did = await go(world, run, uids);
    return { run, line: say(`${did}${did === "" ? "" : "; "}${resultOf(world, uids)}`) };
  } catch (error) {
    world.signal.throwIfAborted();
    const fault = `${nameOf(run)} came to no end: ${messagesOf(error)}`;
    return { run, fault, line: say(`${resultOf(world, uids)}; ${fault}`) };
  }
}

/** What was done, in words where that is not certain. */
async function go(world: World, run: Run, uids: string[]): Promise<string> {
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

async function meddle(world: World, run: Run, uid: string): Promise<string> {
  const { fault } = run;
  if ("at" in fault && !(await whenIs(world, uid, fault.at))) return "it was over before";
  switch (fault.is) {
    case "nothing":
    case "fails":
    case "fails and is run again":
      return "";
    case "leader killed":
      return killLeader(world);
    case "both replicas killed":
      return killAll(world);
    case "leader deleted":
      return deleteLeader(world);
    case "scaled to 0":
      await scaleToZero(world, fault.forMs);
      return "";
    case "API server away":
      await stopApiServer(world, fault.forMs);
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
  }
}

function isOverIn({ observer }: World): (uid: string) => boolean {
  return (uid) => {
    const job = observer.history.jobs.get(uid);
    return job !== undefined && isOver(job);
  };
}

function resultOf(world: World, uids: readonly string[]): string {
  const parts = uids.map((uid) => {
    const job = world.observer.history.jobs.get(uid);
    const names = versionsOf(world, uid).map(({ name }) => name);
    const state = job === undefined ? "never seen" : describeJob(job);
    return `${state}, ${names.length === 0 ? "no version" : names.join(" and ")}`;
  });
  return parts.join("; then ");
}

function messagesOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? "" : `: ${messagesOf(error.cause)}`;
  return `${error.message}${cause}`;
}
