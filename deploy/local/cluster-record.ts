import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Access, readKubeconfig } from "./kubeconfig.ts";
import { findFirstProcess } from "./namespaces.ts";
import type { Node } from "./node.ts";
import type { Place } from "./place.ts";

/** What is written when a cluster is ready; without it, whatever there is was never finished. */
interface Made {
  readonly network: string;
  readonly programs: Node["programs"];
}

/** The node of a cluster that was finished and whose namespaces still are there. */
export async function findMade(place: Place): Promise<Node | undefined> {
  const first = await findFirstProcess(place);
  const text = await readFile(madeFile(place), "utf8").catch(() => undefined);
  if (first === undefined || text === undefined) return undefined;
  const { network, programs } = JSON.parse(text) as Made;
  return { place: { ...place, network }, first, programs };
}

/** Writes down that the cluster is finished. */
export async function writeMade({ place, programs }: Node): Promise<void> {
  const made: Made = { network: place.network, programs };
  await writeFile(`${madeFile(place)}.new`, JSON.stringify(made));
  await rename(`${madeFile(place)}.new`, madeFile(place));
}

/** Where the administrator's kubeconfig is. */
export function adminKubeconfig(place: Place): string {
  return join(place.run, "admin.kubeconfig");
}

/** How the administrator reaches the API server. */
export async function readAdmin(place: Place): Promise<Access> {
  return readKubeconfig(adminKubeconfig(place));
}

function madeFile(place: Place): string {
  return join(place.run, "cluster.json");
}
