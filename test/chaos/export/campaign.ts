import type { ModelVersion } from "../../../src/api/modelversion.ts";
import { resources } from "../../../src/kube/resources.ts";
import { inLanes, inNewCluster, type CampaignOptions } from "../campaign.ts";
import { saveEvidence } from "../evidence.ts";
import type { Verdict } from "../verdict.ts";
import { create, find, persist, type World } from "../world.ts";
import { exportOnce } from "./carry-out.ts";
import { observe } from "./observer.ts";
import type { Run } from "./plan.ts";
import { settle } from "./settle.ts";
import { repositoryIn, TAG, type ExportWorld } from "./training-job.ts";
import { judge } from "./verdict.ts";

/** Names of the versions that have the tag which all exports of a campaign want, one for each registry. */
const HOLDERS = ["holder", "holder-refused"] as const;
/**
 * A private address that is not in `insecureRegistries`: whether it could be pushed to is answered without a pod. A process of Node
 * for each job would take longer than the jobs.
 */
const REFUSED_REGISTRY = "10.255.255.1:5000";

/** Carries exporting jobs out in a cluster that is made for them, and judges what came of them. */
export async function exportCampaign(
  runs: readonly Run[],
  options: CampaignOptions,
): Promise<Verdict> {
  return inNewCluster(options, async (world, images) => {
    const { cluster, namespace } = world;
    const observer = await observe(cluster.kubeconfig, namespace);
    const surroundings = {
      image: images.busybox,
      nodeName: cluster.nodeName,
      registries: { own: cluster.registry, refused: REFUSED_REGISTRY },
    };
    try {
      return await inWorld({ ...world, observer, surroundings }, runs, options);
    } finally {
      await observer.close();
    }
  });
}

async function inWorld(
  world: ExportWorld,
  runs: readonly Run[],
  options: CampaignOptions,
): Promise<Verdict> {
  const { observer, cluster } = world;
  const [holder, otherHolder] = HOLDERS;
  await holdTag(world, holder, repositoryIn(cluster.registry));
  await holdTag(world, otherHolder, repositoryIn(REFUSED_REGISTRY));
  const faults = await inLanes(runs, options, async (run) => exportOnce(world, run));
  const found = await settle(world, options.log);
  const verdict = judge({
    ...found,
    versions: found.versions.filter((version) => !HOLDERS.some((name) => name === version.name)),
    unfinished: [...new Set([...faults, ...found.unfinished])],
  });
  if (!verdict.ok) {
    const directory = await saveEvidence(world, observer.history.lines, verdict);
    options.print(`evidence in ${directory}`);
  }
  return verdict;
}

/**
 * Builds are not what is tested here: of a hundred kaniko pods a campaign would last half an hour, and jobs at one location wait
 * until the build there has ended. So all exports ask for one tag, which belongs to a version that never gets further than waiting
 * for its claim; each of theirs ends in its first pass, by TagTaken, without a pod. Nothing before that looks at who has a tag: what
 * admits, holds, prepares and exports a job is as ever.
 */
async function holdTag(world: World, name: string, imageRepo: string): Promise<void> {
  const { namespace, signal } = world;
  const version: ModelVersion = {
    apiVersion: "model.kubedl.io/v1alpha1",
    kind: "ModelVersion",
    metadata: { name },
    spec: {
      modelName: name,
      imageRepo,
      imageTag: TAG,
      storage: { persistentVolumeClaim: { claimName: "never-made" } },
    },
  };
  await create(world, resources.modelversions, version);
  await persist("the begin of its build", signal, async () => {
    const ref = { namespace, name };
    const live = await find<ModelVersion>(world, resources.modelversions, ref);
    if (live?.status?.imageBuildPhase !== "ImageBuilding") throw new Error("it has not begun");
  });
}
