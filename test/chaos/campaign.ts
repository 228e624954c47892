import { installLocally, type LocalInstallation } from "../../deploy/local-installation.ts";
import { down, status } from "../../deploy/local/local-cluster.ts";
import { connect, type ApiServer } from "../../src/kube/client.ts";
import type { Outcome } from "./carry-out.ts";
import { createQueue, type World } from "./world.ts";

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

/** Makes a cluster with the product, lets a campaign take place in it, and removes it. */
export async function inNewCluster<T>(
  { cluster: name, network, log, signal }: CampaignOptions,
  act: (world: World, images: LocalInstallation["images"]) => Promise<T>,
): Promise<T> {
  const found = await status({ name });
  if (found.state === "made") {
    throw new Error(
      `a cluster ${name} is up, maybe of another campaign: choose another with --cluster and --network, or remove it with: npm run cluster -- down --name ${name}`,
    );
  }
  try {
    const { cluster, images } = await installLocally({ name, network, log, signal });
    const api = await connect({ kubeconfigPath: cluster.kubeconfig });
    try {
      await createNamespace(api);
      const world = { cluster, api, namespace: NAMESPACE, signal, alone: createQueue() };
      return await act(world, images);
    } finally {
      await api.close();
    }
  } finally {
    await down({ name, log });
  }
}

/** Carries all runs out, so many at once, and gives what kept any from coming to an end. */
export async function inLanes<R>(
  runs: readonly R[],
  { lanes, print }: CampaignOptions,
  carryOut: (run: R) => Promise<Outcome>,
): Promise<readonly string[]> {
  const left = [...runs];
  const faults: string[] = [];
  async function lane(): Promise<void> {
    for (let run = left.shift(); run !== undefined; run = left.shift()) {
      const { line, fault } = await carryOut(run);
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
