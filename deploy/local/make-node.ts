import { mkdir, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { buildPrograms, cacheDirectory } from "./build.ts";
import { makeCgroups } from "./cgroups.ts";
import { writeMade } from "./cluster-record.ts";
import { assertLinkIsFree, makeLink } from "./host-link.ts";
import { makeNamespaces } from "./namespaces.ts";
import type { Node } from "./node.ts";
import { NODE_NAME, NODE_PROGRAMS } from "./node-components.ts";
import { writeNodeFiles } from "./node-files.ts";
import { startComponents } from "./node-start.ts";
import { ensureSystemPrograms } from "./packages.ts";
import type { Place } from "./place.ts";
import { tearDown } from "./teardown.ts";

/** Makes a cluster where there is none; when that fails, nothing of it is left. */
export async function makeNode(
  place: Place,
  log: (line: string) => void,
  signal: AbortSignal | undefined,
): Promise<Node> {
  const system = await ensureSystemPrograms(
    ["unshare", "nsenter", "mount", "ip", "nft", "iptables", "conntrack", "runc", "ptp"],
    log,
  );
  // Without KUBEBUILDER_ASSETS: a kubelet must not be newer than its API server.
  const programs = await buildPrograms(NODE_PROGRAMS, { log, signal });
  await assertLinkIsFree(place);
  try {
    await rm(place.logs, { recursive: true, force: true });
    for (const directory of [place.run, place.logs, place.registryData])
      await mkdir(directory, { recursive: true, mode: 0o700 });
    const admin = await writeNodeFiles(place, {
      runc: system.runc,
      cniDirectory: dirname(system.ptp),
    });
    await makeCgroups(place);
    const first = await makeNamespaces(place, {
      hostName: NODE_NAME,
      writable: [dirname(place.run)],
      readOnly: [cacheDirectory()],
      signal,
    });
    await makeLink(place, first);
    log("namespaces made");
    const node = { place, first, programs };
    await startComponents(node, { admin, log, signal });
    await writeMade(node);
    return node;
  } catch (error) {
    log("it failed; removing what was made");
    await tearDown(place).catch((second: unknown) => log(String(second)));
    throw error;
  }
}
