import { rm } from "node:fs/promises";
import { hasCgroups, removeCgroups } from "./cgroups.ts";
import { exists } from "./exists.ts";
import { hasLink, removeLink } from "./host-link.ts";
import { endNamespaces, findFirstProcess } from "./namespaces.ts";
import type { Place } from "./place.ts";

/** What there is of a cluster, in words; nothing when it was taken down or never made. */
export async function findRemains(place: Place): Promise<string[]> {
  const [first, link, cgroups, files] = await Promise.all([
    findFirstProcess(place),
    hasLink(place),
    hasCgroups(place),
    exists(place.run),
  ]);
  return [
    ...(first === undefined ? [] : ["processes"]),
    ...(link ? [`network link ${place.link}`] : []),
    ...(cgroups ? [`cgroup ${place.cgroup}`] : []),
    ...(files ? [place.run] : []),
  ];
}

/** Removes all there is of a cluster, in whatever state it is, but its registry's data and its logs. */
export async function tearDown(place: Place): Promise<void> {
  await endNamespaces(place);
  await removeLink(place);
  await removeCgroups(place);
  await rm(place.run, { recursive: true, force: true, maxRetries: 5 });
}
