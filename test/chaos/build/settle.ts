import { setTimeout as sleep } from "node:timers/promises";
import { join } from "node:path";
import { LABELS } from "../../../src/api/annotations.ts";
import type { KubeObject, PersistentVolumeClaim } from "../../../src/api/kube-types.ts";
import { resources } from "../../../src/kube/resources.ts";
import { hashesIn } from "../../e2e/faults/models.ts";
import { whenAllIsBack } from "../outages.ts";
import { stuckObjects, whatStays, wordsFor } from "../remains.ts";
import { find } from "../world.ts";
import { isEnded } from "./history.ts";
import { readImages } from "./images.ts";
import { CLAIM } from "./model.ts";
import type { Found } from "./verdict.ts";
import type { BuildWorld } from "./world.ts";

/** From the moment everything is up again: takeover of the lease, the wait before another attempt, and that attempt. */
const SETTLE_SECONDS = 180;
/** A second digest, or a pointer back, would be written by what a controller still has in its queue. */
const QUIET_MS = 5000;

/** Brings everything up, waits until all is over, and says what there is then. */
export async function settle(
  world: BuildWorld,
  log: (line: string) => void,
): Promise<Omit<Found, "unfinished">> {
  const { cluster, observer, signal, wanted } = world;
  const { history } = observer;
  await cluster.start("registry");
  await whenAllIsBack(world);
  log("everything is up again; waiting until all is over");
  const isOver = (): boolean =>
    [...wanted.keys()].every((uid) => {
      const seen = history.versions.get(uid);
      return seen !== undefined && isEnded(seen);
    });
  await observer
    .until("the end of all builds", isOver, { seconds: SETTLE_SECONDS, signal })
    .catch(() => signal.throwIfAborted());
  await sleep(QUIET_MS, undefined, { signal });
  const left = await leftObjects(world, log);
  // What follows deletes all versions.
  const versions = structuredClone([...history.versions.values()]);
  const models = structuredClone([...history.models.values()]);
  log("looking at the images");
  const images = await readImages(world, versions);
  const stuck = await stuckObjects(world, [CLAIM]);
  return {
    wanted: [...wanted.values()],
    versions,
    models,
    images,
    left: [...left, ...stuck, ...(await faultsOfClaim(world))],
    data: await Promise.all(
      [...world.data].map(async ([name, before]) => {
        const after = await hashesIn(join(world.models, name));
        return { name, before, after };
      }),
    ),
  };
}

/**
 * What was made for builds and is still there, though its version is built, or has gone; that of one that failed may stay. What a
 * version that has gone leaves is Kubernetes' to collect, which forgets an owner that was made again under its name while the
 * garbage collector could not watch (graph_builder.go takes an update by its new UID), and finds out when it is started again.
 */
async function leftObjects(
  world: BuildWorld,
  log: (line: string) => void,
): Promise<readonly string[]> {
  const { cluster, observer } = world;
  const { versions } = observer.history;
  const shouldGo = (object: KubeObject): boolean => {
    const owner = versionUidOf(object);
    const seen = owner === undefined ? undefined : versions.get(owner);
    return owner !== undefined && (seen === undefined || seen.gone || seen.built);
  };
  let left = await whatStays(world, shouldGo);
  if (left.length > 0) {
    log(`starting the garbage collector again: it left ${left.map(wordsFor).join(", ")}`);
    await cluster.stop("kube-controller-manager");
    await cluster.start("kube-controller-manager");
    left = await whatStays(world, shouldGo);
  }
  return left.map((object) => {
    const owner = versions.get(versionUidOf(object) ?? "");
    return `${wordsFor(object)}: is left, though version ${owner?.name} is ${owner?.gone === true ? "gone" : "built"}`;
  });
}

async function faultsOfClaim(world: BuildWorld): Promise<readonly string[]> {
  const ref = { namespace: world.namespace, name: CLAIM };
  const claim = await find<PersistentVolumeClaim>(world, resources.persistentvolumeclaims, ref);
  const isThere =
    claim?.status?.phase === "Bound" && claim.metadata?.deletionTimestamp === undefined;
  return isThere ? [] : [`PersistentVolumeClaim/${CLAIM}: is the user's, and was taken away`];
}

function versionUidOf({ metadata }: KubeObject): string | undefined {
  return metadata?.labels?.[LABELS.versionUid];
}
