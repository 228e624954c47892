import { expect, onTestFinished, test, vi } from "vitest";
import { makeAdmittedPod, makeBarePod, makeOwningJob } from "../../test/make/exporting.ts";
import { makeExport } from "../../test/make/export.ts";
import { makeModel } from "../../test/make/model.ts";
import { makeBuiltVersion, makeModelVersion } from "../../test/make/modelversion.ts";
import { createAdmissionStores } from "../gather/admission-stores.ts";
import type { KubeObject } from "../api/kube-types.ts";
import { createStores, type Stores } from "../gather/stores.ts";
import { JOB_KINDS } from "../jobs/kinds.ts";
import type { ApiServer } from "../kube/client.ts";
import { keysOfVersion, startWatches } from "./watches.ts";

test("a change of a version concerns itself, its model and those rivals that are being built", () => {
  const stores = createStores(createAdmissionStores(), JOB_KINDS);
  const changed = makeBuiltVersion();
  stores.versions.set(changed);
  stores.versions.set(makeBuiltVersion((each) => void (each.metadata.name = "built")));
  stores.versions.set(makeModelVersion((each) => void (each.metadata.name = "waiting")));
  expect(new Set(keysOfVersion(stores, changed))).toEqual(
    new Set([
      "modelversion/team-a/mnist-v1",
      "modelversion/team-a/waiting",
      "model/team-a/mnist",
      "retention/team-a/mnist",
    ]),
  );
});

test("a version without a spec, which KubeDL lets through, concerns itself alone", () => {
  const stores = createStores(createAdmissionStores(), JOB_KINDS);
  const changed = makeModelVersion((each) => void Object.assign(each, { spec: undefined }));
  stores.versions.set(changed);
  expect(stores.versions.by("model", "team-a/undefined")).toEqual([]);
  expect(keysOfVersion(stores, changed)).toEqual(["modelversion/team-a/mnist-v1"]);
});

test("a change of a version concerns the models of its namespace whose aliases name it", () => {
  const stores = createStores(createAdmissionStores(), JOB_KINDS);
  for (const [name, namespace] of [
    ["letters", "team-a"],
    ["elsewhere", "team-b"],
  ] as const) {
    const model = makeModel((each) => {
      each.metadata = { ...each.metadata, name, namespace };
      each.spec = { aliases: { production: "mnist-v1" } };
    });
    stores.models.set(model);
  }
  expect(keysOfVersion(stores, makeBuiltVersion())).toEqual([
    "modelversion/team-a/mnist-v1",
    "model/team-a/mnist",
    "retention/team-a/mnist",
    "model/team-a/letters",
  ]);
});

function ignore(): void {}

async function never<T>(): Promise<T> {
  return new Promise<T>(ignore);
}

/** What is queued when the watch of one resource brings these objects, and the other watches nothing. */
async function queuedBy(
  stores: Stores,
  plural: string,
  items: readonly KubeObject[],
): Promise<ReadonlySet<string>> {
  const keys = new Set<string>();
  const api: ApiServer = {
    url: "https://test",
    request: async <T>(_method: string, path: string): Promise<T> =>
      path.endsWith(`/${plural}`)
        ? ({ metadata: { resourceVersion: "7" }, items } as T)
        : never<T>(),
    stream: never,
    close: async () => {},
  };
  const stop = new AbortController();
  onTestFinished(() => stop.abort(new Error("the test is over")));
  const log = { debug: ignore, info: ignore, warn: ignore, error: ignore };
  const enqueue = (key: string): void => void keys.add(key);
  startWatches(stores, { api, enqueue, log, signal: stop.signal });
  await vi.waitFor(() => expect(keys.size).toBeGreaterThan(0));
  return keys;
}

test("a claim concerns those pods of the job that owns it which have not started", async () => {
  const stores = createStores(createAdmissionStores(), JOB_KINDS);
  const { job } = makeOwningJob("TFJob");
  for (const phase of [undefined, "Pending", "Running", "Succeeded"]) {
    const pod = makeAdmittedPod({ intent: makeExport(), owners: [job] }, (each) => {
      each.metadata.name = `pod-${phase ?? "new"}`;
      each.status = phase === undefined ? {} : { phase };
    });
    stores.exportPods.set(pod);
  }
  const owner = { apiVersion: "kubeflow.org/v1", kind: "TFJob", name: "train" };
  const claim = {
    metadata: {
      name: "mh-1",
      namespace: "team-a",
      uid: "claim",
      ownerReferences: [{ ...owner, uid: job.metadata.uid ?? "" }],
    },
  };
  expect(await queuedBy(stores, "persistentvolumeclaims", [claim])).toEqual(
    new Set(["exporting-pod/team-a/pod-new", "exporting-pod/team-a/pod-Pending"]),
  );
});

test("a held pod that got a controller concerns itself as a job still, so that it is let go", async () => {
  const stores = createStores(createAdmissionStores(), JOB_KINDS);
  const { job } = makeBarePod((pod) => {
    const controller = { apiVersion: "apps/v1", kind: "ReplicaSet", name: "web", uid: "web" };
    pod.metadata.ownerReferences = [{ ...controller, controller: true }];
  });
  expect(await queuedBy(stores, "pods", [job])).toContain("exporting-job.pods.v1/team-a/alone");
});
