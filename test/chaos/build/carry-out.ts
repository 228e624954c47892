import { resources } from "../../../src/kube/resources.ts";
import { carryOut, type Outcome } from "../carry-out.ts";
import { takeAway } from "../outages.ts";
import { nameOf } from "../verdict.ts";
import { create, remove } from "../world.ts";
import { deleteJobs, forceDeletePods, killContainer, killRegistry } from "./faults.ts";
import { versionOf, writeData } from "./model.ts";
import { seenVersion, whenEnded, whenIs } from "./moments.ts";
import { describeShape, type Run } from "./plan.ts";
import type { BuildWorld } from "./world.ts";

/** Makes the version of a run, does to it what is planned, and waits until it is built, as far as one sees. */
export async function buildOnce(world: BuildWorld, run: Run): Promise<Outcome> {
  const own = (): readonly string[] =>
    [...world.wanted.values()].flatMap(({ name, uid }) => (isOf(run, name) ? [uid] : []));
  return carryOut(world, run, {
    shape: describeShape(run),
    async act() {
      await writeData(world, run);
      const uid = await createVersion(world, run, nameOf(run));
      const did = await meddle(world, run, uid);
      await whenEnded(world, own());
      return did;
    },
    result: () =>
      own()
        .map((uid) => seenVersion(world, uid)?.phase ?? "never seen")
        .join(" and "),
  });
}

async function meddle(world: BuildWorld, run: Run, uid: string): Promise<string> {
  const { fault } = run;
  if ("at" in fault && !(await whenIs(world, uid, fault.at))) return "it had ended before";
  switch (fault.is) {
    case "nothing":
      return "";
    case "container killed":
      return killContainer(world, uid, fault.at.after);
    case "pod deleted by force":
      return forceDeletePods(world, uid);
    case "Job deleted":
      return deleteJobs(world, uid);
    case "registry killed":
      await killRegistry(world, fault.forMs);
      return "";
    case "two at one location":
      await createVersion(world, run, `${nameOf(run)}-twin`);
      return "";
    case "made again":
      await makeAgain(world, run, uid);
      return "";
    case "leader killed":
    case "both replicas killed":
    case "leader deleted":
    case "scaled to 0":
    case "API server away":
      return takeAway(world, fault);
  }
}

async function makeAgain(world: BuildWorld, run: Run, uid: string): Promise<void> {
  const name = nameOf(run);
  await remove(world, resources.modelversions, { namespace: world.namespace, name }, { uid });
  world.wanted.delete(uid);
  await createVersion(world, run, name, uid);
}

/** Makes a version that has to be built, as soon as that of its name has gone whose UID is given; gives its UID. */
async function createVersion(
  world: BuildWorld,
  run: Run,
  name: string,
  uidBefore?: string,
): Promise<string> {
  const version = versionOf(world, run, name);
  const uid = await create(world, resources.modelversions, version, uidBefore);
  world.wanted.set(uid, { name, uid, hashes: world.data.get(nameOf(run)) ?? "" });
  return uid;
}

function isOf(run: Run, name: string): boolean {
  return name === nameOf(run) || name.startsWith(`${nameOf(run)}-`);
}
