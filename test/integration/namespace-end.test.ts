import { afterAll, beforeAll, expect, test } from "vitest";
import type { ControlPlane } from "../../deploy/local/control-plane.ts";
import type { KubeObject } from "../../src/api/kube-types.ts";
import { completeJob, eventually, list, read } from "./kubelet.ts";
import { startModelhook, startPlane, type RunningModelhook } from "./modelhook.ts";

let plane: ControlPlane;
let modelhook: RunningModelhook;

beforeAll(async () => {
  plane = await startPlane();
  modelhook = await startModelhook(plane);
});
afterAll(async () => {
  await modelhook?.stop();
  await plane?.stop();
});

test("a namespace with a finished exporting job, a pod that exports and a failed version goes when it is deleted", async () => {
  await plane.kubectl(["create", "namespace", "leaving"]);
  const intent = {
    modelName: "m",
    imageRepo: "registry.test/m",
    storage: { persistentVolumeClaim: { claimName: "never-made" } },
  };
  const container = { name: "train", image: "registry.test/train:1" };
  const annotations = { "model.kubedl.io/export": JSON.stringify(intent) };
  const job = {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name: "train", namespace: "leaving", annotations },
    spec: {
      suspend: true,
      template: { spec: { restartPolicy: "Never", containers: [container] } },
    },
  };
  const pod = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "bare", namespace: "leaving", annotations },
    spec: { restartPolicy: "Never", containers: [container] },
  };
  const version = {
    apiVersion: "model.kubedl.io/v1alpha1",
    kind: "ModelVersion",
    metadata: { name: "local", namespace: "leaving" },
    spec: {
      modelName: "m",
      imageRepo: "registry.test/m",
      storage: { localStorage: { path: "/models/m", nodeName: "none" } },
    },
  };
  const items = { apiVersion: "v1", kind: "List", items: [job, pod, version] };
  await plane.kubectl(["apply", "--filename", "-"], JSON.stringify(items));
  await eventually("the version is held", async () => {
    const live = await read<KubeObject>(plane, "modelversion", "local", "leaving");
    return live?.metadata?.finalizers?.includes("model.kubedl.io/volume") === true;
  });
  const bare = await read<KubeObject>(plane, "pod", "bare", "leaving");
  expect(bare?.metadata?.finalizers).toContain("model.kubedl.io/export");
  await modelhook.kill();
  await completeJob(plane, "train", "leaving");
  await plane.kubectl(["delete", "namespace", "leaving", "--wait=false"]);

  modelhook = await startModelhook(plane);

  await eventually("the namespace goes", async () => {
    return (await read(plane, "namespace", "leaving")) === undefined;
  });
  expect(await list(plane, "pv", "app.kubernetes.io/managed-by=modelhook")).toEqual([]);
});
