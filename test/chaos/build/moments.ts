import { setTimeout as sleep } from "node:timers/promises";
import { taggedDigest } from "../../e2e/faults/image-reads.ts";
import { findProcesses } from "../../e2e/faults/processes.ts";
import { PATIENCE_SECONDS } from "../world.ts";
import { isEnded, type SeenPod, type SeenVersion } from "./history.ts";
import type { Container, Moment } from "./plan.ts";
import type { BuildWorld } from "./world.ts";

/** What nothing reports is asked for so often; our own containers run for half a second. */
const EVERY_MS = 50;

/** Waits for a moment in the life of a version; false when its build had ended before. */
export async function whenIs(world: BuildWorld, uid: string, moment: Moment): Promise<boolean> {
  const { after, delayMs } = moment;
  const isTime = await comes(world, uid, after);
  await sleep(delayMs, undefined, { signal: world.signal });
  return isTime;
}

/** Waits until the builds of all these versions have ended. */
export async function whenEnded(world: BuildWorld, uids: readonly string[]): Promise<void> {
  const { observer, signal } = world;
  const options = { seconds: PATIENCE_SECONDS, signal };
  const ended = (): boolean => uids.every((uid) => hasEnded(world, uid));
  await observer.until(`the end of ${uids.join(" and ")}`, ended, options);
}

/** The version, if it was seen. */
export function seenVersion({ observer }: BuildWorld, uid: string): SeenVersion | undefined {
  return observer.history.versions.get(uid);
}

/** The pods of a version's build that nobody has deleted. */
export function podsOf({ observer }: BuildWorld, uid: string): readonly SeenPod[] {
  const pods = [...observer.history.pods.values()];
  return pods.filter((pod) => pod.versionUid === uid && !pod.deleted);
}

/** The processes of a container of a version's build that run now. */
export async function processesOf(
  world: BuildWorld,
  uid: string,
  container: Container,
): Promise<readonly number[]> {
  const found = podsOf(world, uid).map(async (pod) => {
    const mark = markOf(pod, container);
    return mark === undefined ? [] : findProcesses(mark, pod.uid);
  });
  return (await Promise.all(found)).flat();
}

async function comes(world: BuildWorld, uid: string, after: Moment["after"]): Promise<boolean> {
  const { observer } = world;
  switch (after) {
    case "creation":
      return true;
    case "Job":
      return reported(world, uid, () =>
        [...observer.history.jobs.values()].some(({ versionUid }) => versionUid === uid),
      );
    case "record":
      return reported(world, uid, () => (seenVersion(world, uid)?.digests.length ?? 0) > 0);
    case "push":
      return asked(world, uid, async () => isPushed(seenVersion(world, uid)?.image ?? ""));
    case "first container":
    case "middle container":
    case "last container":
      return asked(world, uid, async () => (await processesOf(world, uid, after)).length > 0);
  }
}

/** Waits for what watches report. */
async function reported(world: BuildWorld, uid: string, has: () => boolean): Promise<boolean> {
  const { observer, signal } = world;
  const options = { seconds: PATIENCE_SECONDS, signal };
  await observer.until(`a moment of ${uid}`, () => has() || hasEnded(world, uid), options);
  return has();
}

/** Waits for what has to be asked for. */
async function asked(
  world: BuildWorld,
  uid: string,
  ask: () => Promise<boolean>,
): Promise<boolean> {
  const deadline = performance.now() + PATIENCE_SECONDS * 1000;
  while (performance.now() < deadline) {
    if (hasEnded(world, uid)) return false;
    if (await ask()) return true;
    await sleep(EVERY_MS, undefined, { signal: world.signal });
  }
  throw new Error(`a moment of ${uid}: not within ${PATIENCE_SECONDS} s`);
}

function hasEnded(world: BuildWorld, uid: string): boolean {
  const seen = seenVersion(world, uid);
  return seen !== undefined && isEnded(seen);
}

async function isPushed(image: string): Promise<boolean> {
  // The registry may be away.
  return image !== "" && (await taggedDigest(image).catch(() => null)) !== null;
}

function markOf({ marks }: SeenPod, container: Container): string | undefined {
  switch (container) {
    case "first container":
      return marks[0];
    case "middle container":
      return marks[Math.floor(marks.length / 2)];
    case "last container":
      return marks.at(-1);
  }
}
