import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ControlPlane } from "../../deploy/local/control-plane.ts";
import type { Job } from "../../src/api/kube-types.ts";
import type { ModelVersion } from "../../src/api/modelversion.ts";
import { connect, type ApiServer } from "../../src/kube/client.ts";
import { startInformer } from "../../src/kube/informer.ts";
import { resources } from "../../src/kube/resources.ts";
import { createStore } from "../../src/kube/store.ts";
import { createLogger } from "../../src/telemetry/logger.ts";
import {
  NODE,
  asking,
  exportOf,
  isKept,
  jobOf,
  trainingTemplate,
  versionsOf,
} from "./exporting.ts";
import { addNode, completeJob, eventually, read } from "./kubelet.ts";
import { startModelhook, startPlane } from "./modelhook.ts";

let plane: ControlPlane;
let api: ApiServer;
const stop = new AbortController();
/** UIDs of all versions that there ever were, by the model. */
const seen = new Map<string, Set<string>>();

beforeAll(async () => {
  plane = await startPlane();
  await addNode(plane, NODE);
  api = await connect({ kubeconfigPath: plane.kubeconfig });
  const informer = startInformer<ModelVersion>(api, resources.modelversions, {
    store: createStore<ModelVersion>(),
    log: createLogger({ level: "silent" }),
    signal: stop.signal,
    onChange: ({ object: { metadata, spec } }) => {
      const uids = seen.get(spec?.modelName ?? "") ?? new Set();
      seen.set(spec?.modelName ?? "", uids.add(metadata.uid ?? ""));
    },
  });
  await informer.synced;
});
afterAll(async () => {
  stop.abort();
  await api?.close();
  await plane?.stop();
});

describe("a version that somebody deletes before its job is let go", () => {
  test("stays to be seen until then, goes, and is not made again", async () => {
    const name = await diedHavingExported();
    const job = async (): Promise<Job | undefined> => read(plane, "job", name);
    const [version] = await versionsOf(plane, await job());
    expect([isKept(await job()), version?.metadata.finalizers]).toEqual([
      true,
      ["model.kubedl.io/export"],
    ]);

    await withoutWebhook();
    const deleted = ["modelversion", version?.metadata.name ?? "", "--wait=false"];
    await plane.kubectl(["delete", ...deleted]);
    const [waiting] = await versionsOf(plane, await job());
    expect(waiting?.metadata.deletionTimestamp).toBeDefined();

    const next = await startModelhook(plane);
    try {
      await eventually("the job is let go", async () => !isKept(await job()));
      await eventually("the version is gone", async () => {
        return (await versionsOf(plane, await job())).length === 0;
      });
      // What was made after this one is exported by a pass that comes after all those of the first.
      await plane.kubectl(["create", "--filename", "-"], suspendedJob("later"));
      await completeJob(plane, "later", "default");
      const later = async () => read<Job>(plane, "job", "later");
      await eventually("the next job is let go", async () => !isKept(await later()));
      expect(seen.get("later")?.size).toBe(1);
      expect([...(seen.get(name) ?? [])]).toEqual([version?.metadata.uid]);
    } finally {
      await next.kill();
    }
  });
});

/** Exports by processes that die after their first write, their second and so on, until one has died between version and job. */
async function diedHavingExported(): Promise<string> {
  for (let write = 1; write < 12; write += 1) {
    const name = `dies-${write}`;
    const modelhook = await startModelhook(plane, { failPoint: `after:${write}` });
    try {
      await plane.kubectl(["create", "--filename", "-"], suspendedJob(name));
      await completeJob(plane, name, "default");
      const live = async () => read<Job>(plane, "job", name);
      const left = await Promise.race([
        modelhook.ended,
        eventually(`${name} is let go`, async () => !isKept(await live())),
      ]);
      const job = await live();
      if (left !== true && isKept(job) && (await versionsOf(plane, job)).length > 0) return name;
    } finally {
      await modelhook.kill();
      const lease = ["lease", "modelhook", "--ignore-not-found"];
      await plane.kubectl(["--namespace", "modelhook-system", "delete", ...lease]);
    }
  }
  throw new Error("no process died between its version and its job");
}

/** As another replica's webhook would allow it. */
async function withoutWebhook(): Promise<void> {
  const kinds = "mutatingwebhookconfiguration,validatingwebhookconfiguration";
  await plane.kubectl(["delete", kinds, "modelhook"]);
}

/** A Job without pods, which the test ends itself. */
function suspendedJob(name: string): string {
  const { spec, ...rest } = jobOf(
    name,
    { annotations: asking(exportOf(name)) },
    trainingTemplate(),
  );
  return JSON.stringify({ ...rest, spec: { ...spec, suspend: true } });
}
