import { installLocally, type LocalInstallation } from "../../deploy/local-installation.ts";
import { down, status } from "../../deploy/local/local-cluster.ts";
import type { ModelVersion } from "../../src/api/modelversion.ts";
import { connect, type ApiServer } from "../../src/kube/client.ts";
import { resourcePath, resources } from "../../src/kube/resources.ts";
import { carryOut } from "./carry-out.ts";
import { saveEvidence } from "./evidence.ts";
import { observe, type Observer } from "./observer.ts";
import type { Run } from "./plan.ts";
import { settle } from "./settle.ts";
import { repositoryIn, TAG } from "./training-job.ts";
import { judge, type Verdict } from "./verdict.ts";
import { createQueue, find, persist, type World } from "./world.ts";

/** Where a campaign takes place, and whom it tells. */
export interface CampaignOptions {
  readonly cluster: string;
  readonly network: string;
  /** How many runs are under way at once. */
  readonly lanes: number;
  /** Takes a line about each run. */
  readonly print: (line: string) => void;
  /** Takes lines of progress. */
  readonly log: (line: string) => void;
  readonly signal: AbortSignal;
}

const NAMESPACE = "chaos";
/** Names of the versions that have the tag which all exports of a campaign want, one for each registry. */
const HOLDERS = ["holder", "holder-refused"] as const;
/**
 * A private address that is not in `insecureRegistries`: whether it could be pushed to is answered without a pod. A process of Node
 * for each job would take longer than the jobs.
 */
const REFUSED_REGISTRY = "10.255.255.1:5000";

/** Makes a cluster with the product, carries the runs out in it, judges what came of them, and removes it. */
export async function runCampaign(
  runs: readonly Run[],
  options: CampaignOptions,
): Promise<Verdict> {
  const { cluster: name, network, log, signal } = options;
  const found = await status({ name });
  if (found.state === "made") {
    throw new Error(
      `a cluster ${name} is up, maybe of another campaign: choose another with --cluster and --network, or remove it with: npm run cluster -- down --name ${name}`,
    );
  }
  try {
    const installation = await installLocally({ name, network, log, signal });
    return await inCluster(installation, runs, options);
  } finally {
    await down({ name, log });
  }
}

async function inCluster(
  { cluster, images }: LocalInstallation,
  runs: readonly Run[],
  options: CampaignOptions,
): Promise<Verdict> {
  const { signal, log, print } = options;
  const api = await connect({ kubeconfigPath: cluster.kubeconfig });
  await createNamespace(api);
  let observer: Observer | undefined;
  try {
    observer = await observe(cluster.kubeconfig, NAMESPACE);
    const surroundings = {
      namespace: NAMESPACE,
      image: images.busybox,
      nodeName: cluster.nodeName,
      registries: { own: cluster.registry, refused: REFUSED_REGISTRY },
    };
    const world: World = { cluster, api, observer, surroundings, signal, alone: createQueue() };
    const [holder, otherHolder] = HOLDERS;
    await holdTag(world, holder, repositoryIn(cluster.registry));
    await holdTag(world, otherHolder, repositoryIn(REFUSED_REGISTRY));
    const faults = await carryOutAll(world, runs, options);
    const found = await settle(world, log);
    const verdict = judge({
      ...found,
      versions: found.versions.filter((version) => !HOLDERS.some((name) => name === version.name)),
      unfinished: [...new Set([...faults, ...found.unfinished])],
    });
    if (!verdict.ok) print(`evidence in ${await saveEvidence(world, verdict)}`);
    return verdict;
  } finally {
    await observer?.close();
    await api.close();
  }
}

/** Gives what kept runs from coming to an end. */
async function carryOutAll(
  world: World,
  runs: readonly Run[],
  { lanes, print }: CampaignOptions,
): Promise<readonly string[]> {
  const left = [...runs];
  const faults: string[] = [];
  async function lane(): Promise<void> {
    for (let run = left.shift(); run !== undefined; run = left.shift()) {
      const { line, fault } = await carryOut(world, run);
      print(line);
      if (fault !== undefined) faults.push(fault);
    }
  }
  await Promise.all(Array.from({ length: lanes }, lane));
  return faults;
}

async function createNamespace(api: ApiServer): Promise<void> {
  const body = { apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE } };
  await api.request("POST", "/api/v1/namespaces", { body });
}

/**
 * Builds are not what is tested here: of a hundred kaniko pods a campaign would last half an hour, and jobs at one location wait
 * until the build there has ended. So all exports ask for one tag, which belongs to a version that never gets further than waiting
 * for its claim; each of theirs ends in its first pass, by TagTaken, without a pod. Nothing before that looks at who has a tag: what
 * admits, holds, prepares and exports a job is as ever.
 */
async function holdTag(world: World, name: string, imageRepo: string): Promise<void> {
  const { api, signal, surroundings } = world;
  const { namespace } = surroundings;
  const storage = { persistentVolumeClaim: { claimName: "never-made" } };
  const body = {
    apiVersion: "model.kubedl.io/v1alpha1",
    kind: "ModelVersion",
    metadata: { name },
    spec: { modelName: name, imageRepo, imageTag: TAG, storage },
  };
  const path = resourcePath(resources.modelversions, { namespace });
  await persist("the version that has the tag", signal, async () =>
    api.request("POST", path, { body, signal }),
  );
  await persist("the begin of its build", signal, async () => {
    const ref = { namespace, name };
    const version = await find<ModelVersion>(world, resources.modelversions, ref);
    if (version?.status?.imageBuildPhase !== "ImageBuilding") throw new Error("it has not begun");
  });
}
