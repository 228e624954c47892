import { setTimeout as sleep } from "node:timers/promises";
import type { CoreV1Event } from "@kubernetes/client-node";
import type { LocalInstallation } from "../../deploy/local-installation.ts";
import type { Engine, ModelVersion } from "../../src/api/modelversion.ts";
import { watchProcesses, type Cost } from "./processes.ts";

/** Namespace of the benchmark, at level baseline, as kaniko needs. */
export const NAMESPACE = "bench";

/** What a build took. */
export interface Build extends Cost {
  readonly engine: Engine;
  readonly digest: string;
  /** From the version's creation to its success. */
  readonly seconds: number;
  /** Of that, between the first and the last line that the direct engine logs; undefined for kaniko. */
  readonly workSeconds: number | undefined;
  /** Bytes that the direct engine sent; undefined for kaniko. */
  readonly sentBytes: number | undefined;
  /** Bytes of all the image's layers in the registry. */
  readonly layerBytes: number;
}

/** Texts in the commands of the processes that build, by engine; the steps around kaniko are a part of its build. */
const COMMANDS: Readonly<Record<Engine, readonly string[]>> = {
  kaniko: ["/kaniko/executor", "main.mjs\0stage-source", "main.mjs\0verify-image"],
  direct: ["main.mjs\0build-image"],
};

/** What the log of the direct engine says. */
interface WorkLog {
  readonly workSeconds?: number;
  readonly sentBytes?: number;
}

const POLL_MS = 100;
const DEADLINE_MS = 900_000;

/** Builds the model in a directory of the node as a version of its own, and waits until it is built. */
export async function build(
  { cluster }: LocalInstallation,
  version: { readonly name: string; readonly model: string; readonly path: string },
  engine: Engine,
): Promise<Build> {
  const manifest = {
    apiVersion: "model.kubedl.io/v1alpha1",
    kind: "ModelVersion",
    metadata: { name: version.name, namespace: NAMESPACE },
    spec: {
      modelName: version.model,
      imageRepo: `${cluster.registry}/bench/${version.model}`,
      storage: { localStorage: { path: version.path, nodeName: cluster.nodeName } },
      builder: { engine },
    },
  };
  const watched = watchProcesses(COMMANDS[engine]);
  const began = performance.now();
  await cluster.kubectl(["apply", "--filename=-"], JSON.stringify(manifest));
  const logged =
    engine === "direct" ? readLog(cluster, version.name) : Promise.resolve<WorkLog>({});
  const built = await whenBuilt(cluster, version.name, began + DEADLINE_MS);
  const seconds = (performance.now() - began) / 1000;
  const cost = await watched.stop();
  const log = await logged;
  return {
    ...cost,
    engine,
    seconds,
    ...log,
    workSeconds: log.workSeconds,
    sentBytes: log.sentBytes,
    digest: built.status?.digest ?? "",
    layerBytes: (built.status?.layers ?? []).reduce((sum, { size }) => sum + size, 0),
  };
}

/** Seconds that a node takes to pull and unpack an image that it does not have, for an image volume. */
export async function pull(
  { cluster, images }: LocalInstallation,
  name: string,
  image: string,
): Promise<number> {
  const pod = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: NAMESPACE },
    spec: {
      restartPolicy: "Never",
      containers: [
        {
          name: "see",
          image: images.busybox,
          command: ["true"],
          volumeMounts: [{ name: "model", mountPath: "/model" }],
        },
      ],
      volumes: [{ name: "model", image: { reference: image, pullPolicy: "Always" } }],
    },
  };
  await cluster.kubectl(["apply", "--filename=-"], JSON.stringify(pod));
  const flags = ["--for=jsonpath={.status.phase}=Succeeded", "--timeout=300s"];
  await cluster.kubectl(["-n", NAMESPACE, "wait", `pod/${name}`, ...flags]);
  const selector = `--field-selector=involvedObject.name=${name},reason=Pulled`;
  const text = await cluster.kubectl(["-n", NAMESPACE, "get", "events", selector, "-o", "json"]);
  const { items } = JSON.parse(text) as { items: readonly CoreV1Event[] };
  const message = items.map((event) => event.message ?? "").find((each) => each.includes(image));
  const [, minutes = "0", seconds] =
    /pulled image .* in (?:(\d+)m)?([\d.]+)(?:ms|s) /.exec(message ?? "") ?? [];
  if (seconds === undefined) throw new Error(`no event says how long ${image} took: ${text}`);
  const isMilliseconds = /in [\d.]+ms /.test(message ?? "");
  return Number(minutes) * 60 + Number(seconds) / (isMilliseconds ? 1000 : 1);
}

type Cluster = LocalInstallation["cluster"];

async function read(cluster: Cluster, name: string): Promise<ModelVersion> {
  const flags = ["-n", NAMESPACE, "get", "modelversion", name, "-o", "json"];
  return JSON.parse(await cluster.kubectl(flags)) as ModelVersion;
}

/** The name of the Job that builds, once there is a pod of it. */
async function builderJob(cluster: Cluster, name: string): Promise<string> {
  for (;;) {
    const job = (await read(cluster, name)).status?.builderJob;
    const selector = `--selector=job-name=${job}`;
    const pods = await cluster.kubectl(["-n", NAMESPACE, "get", "pods", selector, "-o", "name"]);
    if (job !== undefined && pods !== "") return job;
    await sleep(POLL_MS);
  }
}

async function whenBuilt(cluster: Cluster, name: string, deadline: number): Promise<ModelVersion> {
  for (;;) {
    const version = await read(cluster, name);
    const { imageBuildPhase, message } = version.status ?? {};
    if (imageBuildPhase === "ImageBuildSucceeded") return version;
    if (imageBuildPhase === "ImageBuildFailed" || performance.now() > deadline) {
      throw new Error(`${name} is not built: ${message}`);
    }
    await sleep(POLL_MS);
  }
}

/** Follows the log while the build runs: its Job is gone as soon as its result is recorded. */
async function readLog(cluster: Cluster, name: string): Promise<WorkLog> {
  const job = await builderJob(cluster, name);
  const flags = ["--follow", "--pod-running-timeout=120s"];
  const text = await cluster.kubectl(["-n", NAMESPACE, "logs", `job/${job}`, ...flags]);
  const lines = text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { time: string; sent?: number });
  const [first, last] = [lines[0], lines.at(-1)].map((line) => Date.parse(line?.time ?? ""));
  return {
    workSeconds: ((last ?? 0) - (first ?? 0)) / 1000,
    ...(lines.at(-1)?.sent === undefined ? {} : { sentBytes: lines.at(-1)?.sent ?? 0 }),
  };
}
