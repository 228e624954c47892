import { mkdir } from "node:fs/promises";
import { onHost } from "../../e2e/faults/models.ts";
import { inLanes, inNewCluster, type CampaignOptions } from "../campaign.ts";
import { saveEvidence } from "../evidence.ts";
import type { Verdict } from "../verdict.ts";
import { createQueue } from "../world.ts";
import { buildOnce } from "./carry-out.ts";
import { createClaim, MODELS } from "./model.ts";
import { observe } from "./observer.ts";
import type { Run } from "./plan.ts";
import { settle } from "./settle.ts";
import { judge } from "./verdict.ts";
import type { BuildWorld } from "./world.ts";

/** Carries builds out in a cluster that is made for them, and judges what came of them. */
export async function buildCampaign(
  runs: readonly Run[],
  options: CampaignOptions,
): Promise<Verdict> {
  return inNewCluster(options, async (world) => {
    const { cluster, namespace } = world;
    const models = await onHost(world, MODELS);
    await mkdir(models);
    await createClaim(world);
    const observer = await observe(cluster.kubeconfig, namespace);
    const more = { observer, models, data: new Map(), wanted: new Map() };
    try {
      const buildWorld = { ...world, ...more, registryAlone: createQueue() };
      return await inWorld(buildWorld, runs, options);
    } finally {
      await observer.close();
    }
  });
}

async function inWorld(
  world: BuildWorld,
  runs: readonly Run[],
  options: CampaignOptions,
): Promise<Verdict> {
  const unfinished = await inLanes(runs, options, async (run) => buildOnce(world, run));
  const verdict = judge({ ...(await settle(world, options.log)), unfinished });
  if (!verdict.ok) {
    const directory = await saveEvidence(world, world.observer.history.lines, verdict);
    options.print(`evidence in ${directory}`);
  }
  return verdict;
}
