import { rm } from "node:fs/promises";
import { hasCgroups, removeCgroups } from "./cgroups.ts";
import { exists } from "./exists.ts";
import { waitUntilLinkIsGone } from "./host-link.ts";
import { endNamespaces, findFirstProcess } from "./namespaces.ts";
import type { Place } from "./place.ts";

/** What there is of a cluster, in words; nothing when it was taken down or never made. */
export async function findRemains(place: Place): Promise<string[]> {
  const [first, cgroups, files] = await Promise.all([
    findFirstProcess(place),
    hasCgroups(place),
    exists(place.run),
  ]);
  return [
    ...(first === undefined ? [] : ["processes"]),
    ...(cgroups ? [`cgroup ${place.cgroup}`] : []),
    ...(files ? [place.run] : []),
  ];
}

/** Removes all there is of a cluster, in whatever state it is, but its registry's data and its logs. */
export async function tearDown(place: Place): Promise<void> {
  const wasMade = await exists(place.run);
  await endNamespaces(place);
  await removeCgroups(place);
  await rm(place.run, { recursive: true, force: true, maxRetries: 5 });
  // It goes by itself, a moment after the namespace of its other end. Without a run directory it is not ours.
  if (wasMade) await waitUntilLinkIsGone(place);
}
