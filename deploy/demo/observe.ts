import { setTimeout as sleep } from "node:timers/promises";
import type { Job, KubeObject } from "../../src/api/kube-types.ts";
import { exportedVersionNames } from "../../src/api/names.ts";
import type { ModelVersion } from "../../src/api/modelversion.ts";
import type { DemoCluster } from "./cluster.ts";

type Log = (line: string) => void;

const POLL_MS = 500;
const PATIENCE_MS = 600_000;

/** What the cluster says to an object that it has to refuse; throws when it takes it. */
export async function refusalOf({ kubectl }: DemoCluster, object: string): Promise<string> {
  try {
    await kubectl(["apply", "--filename", "-"], object);
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    const said = /The ModelVersion .*/s.exec(text)?.[0].trim();
    if (said === undefined) throw error;
    return said;
  }
  throw new Error("the cluster took an object that it has to refuse");
}

/** Name of the ModelVersion that a finished job became. */
export async function untilExported(
  { kubectl }: DemoCluster,
  namespace: string,
  job: Job,
  log: Log,
): Promise<string> {
  const uid = job.metadata?.uid ?? "";
  const [name = ""] = exportedVersionNames("digits", uid);
  await until(`ModelVersion ${name}`, async () => {
    const flags = ["--namespace", namespace, "--ignore-not-found", "--output=name"];
    return (await kubectl(["get", "modelversion", name, ...flags])) !== "";
  });
  log(
    `ModelVersion ${name} was made from Job ${job.metadata?.name} (its UID begins with ${uid.slice(0, 5)})`,
  );
  return name;
}

/** The version once it is built; its events are told as they come. Throws with its message when the build fails. */
export async function untilBuilt(
  cluster: DemoCluster,
  namespace: string,
  name: string,
  log: Log,
): Promise<ModelVersion> {
  const told = new Set<string>();
  return until(`the build of ${name}`, async () => {
    const flags = ["--namespace", namespace, "--output=json"];
    const version = JSON.parse(
      await cluster.kubectl(["get", "modelversion", name, ...flags]),
    ) as ModelVersion;
    for (const line of await eventsOf(cluster, namespace, name)) {
      if (!told.has(line)) log(line);
      told.add(line);
    }
    const phase = version.status?.imageBuildPhase;
    if (phase === "ImageBuildFailed") throw new BuildFailed(version.status?.message);
    return phase === "ImageBuildSucceeded" && told.size > 1 ? version : undefined;
  });
}

class BuildFailed extends Error {}

interface CoreEvent extends KubeObject {
  readonly reason: string;
  readonly message: string;
}

async function eventsOf(
  { kubectl }: DemoCluster,
  namespace: string,
  name: string,
): Promise<readonly string[]> {
  const selector = `involvedObject.kind=ModelVersion,involvedObject.name=${name}`;
  const flags = ["--namespace", namespace, "--field-selector", selector, "--output=json"];
  const { items } = JSON.parse(await kubectl(["get", "events", ...flags])) as {
    items: readonly CoreEvent[];
  };
  return items
    .toSorted((a, b) => createdAt(a).localeCompare(createdAt(b)))
    .map(({ reason, message }) => `${reason}: ${message}`);
}

function createdAt({ metadata }: KubeObject): string {
  return metadata?.creationTimestamp ?? "";
}

async function until<T>(what: string, ask: () => Promise<T | undefined | false>): Promise<T> {
  const deadline = performance.now() + PATIENCE_MS;
  while (performance.now() < deadline) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    await sleep(POLL_MS);
  }
  throw new Error(`${what}: not within ${PATIENCE_MS / 1000} s`);
}
