import { mkdir, readdir, readFile, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Place } from "./place.ts";
import { waitUntil } from "./readiness.ts";

/** Makes the cluster's cgroup, below which kubelet puts all pods, in every hierarchy of the host. */
export async function makeCgroups(place: Place): Promise<void> {
  for (const { mountPoint, options } of await readHierarchies()) {
    const path = join(mountPoint, place.cgroup);
    await mkdir(path, { recursive: true });
    if (!options.includes("cpuset")) continue;
    // A new cpuset of cgroup v1 is empty, and then nothing can be put below it.
    for (const file of ["cpuset.cpus", "cpuset.mems"])
      await writeFile(join(path, file), await readFile(join(mountPoint, file)));
  }
}

/** Removes it with all that pods left below it; they must have ended. */
export async function removeCgroups(place: Place): Promise<void> {
  for (const { mountPoint } of await readHierarchies()) {
    const path = join(mountPoint, place.cgroup);
    let problem: unknown;
    await waitUntil({
      what: `cgroup ${path} was not removed`,
      detail: () => String(problem),
      timeoutMs: 10_000,
      check: async () =>
        removeTree(path).then(
          () => true,
          (error: unknown) => {
            problem = error;
            return false;
          },
        ),
    });
  }
}

/** Whether any hierarchy has the cluster's cgroup. */
export async function hasCgroups(place: Place): Promise<boolean> {
  const hierarchies = await readHierarchies();
  const found = await Promise.all(
    hierarchies.map(async ({ mountPoint }) =>
      readdir(join(mountPoint, place.cgroup)).then(
        () => true,
        () => false,
      ),
    ),
  );
  return found.includes(true);
}

async function readHierarchies(): Promise<{ mountPoint: string; options: readonly string[] }[]> {
  const mounts = await readFile("/proc/mounts", "utf8");
  return mounts
    .split("\n")
    .map((line) => line.split(" "))
    .filter(([, , type]) => type === "cgroup" || type === "cgroup2")
    .map(([, mountPoint = "", , options = ""]) => ({ mountPoint, options: options.split(",") }));
}

/** rmdir from the leaves up: the files in a cgroup cannot be removed and need not be. */
async function removeTree(path: string): Promise<void> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => undefined);
  if (entries === undefined) return;
  for (const entry of entries) if (entry.isDirectory()) await removeTree(join(path, entry.name));
  await rmdir(path);
}
