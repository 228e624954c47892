import { mkdir, readdir, readFile, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Place } from "./place.ts";
import { waitUntil } from "./readiness.ts";

/** Makes the cluster's cgroup, below which kubelet puts all pods, in every hierarchy of the host. */
export async function makeCgroups(place: Place): Promise<void> {
  for (const { mountPoint, type, options } of await readHierarchies()) {
    const path = join(mountPoint, place.cgroup);
    await mkdir(path, { recursive: true });
    if (type === "cgroup2") await delegateControllers(mountPoint);
    if (type === "cgroup" && options.includes("cpuset")) await copyCpuset(mountPoint, path);
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

interface Hierarchy {
  readonly mountPoint: string;
  readonly type: string;
  readonly options: readonly string[];
}

async function readHierarchies(): Promise<Hierarchy[]> {
  const mounts = await readFile("/proc/mounts", "utf8");
  return mounts
    .split("\n")
    .map((line) => line.split(" "))
    .filter(([, , type]) => type === "cgroup" || type === "cgroup2")
    .map(([, mountPoint = "", type = "", options = ""]) => ({
      mountPoint,
      type,
      options: options.split(","),
    }));
}

/** kubelet wants every controller in its cgroup; in a hybrid set-up this hierarchy has none. */
async function delegateControllers(mountPoint: string): Promise<void> {
  const controllers = await readFile(join(mountPoint, "cgroup.controllers"), "utf8");
  for (const controller of controllers.split(/\s+/).filter((name) => name !== ""))
    await writeFile(join(mountPoint, "cgroup.subtree_control"), `+${controller}`);
}

/** A new cpuset of cgroup v1 is empty, and then nothing can be put below it. */
async function copyCpuset(from: string, to: string): Promise<void> {
  for (const file of ["cpuset.cpus", "cpuset.mems"])
    await writeFile(join(to, file), await readFile(join(from, file)));
}

/** rmdir from the leaves up: the files in a cgroup cannot be removed and need not be. */
async function removeTree(path: string): Promise<void> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => undefined);
  if (entries === undefined) return;
  for (const entry of entries) if (entry.isDirectory()) await removeTree(join(path, entry.name));
  await rmdir(path);
}
