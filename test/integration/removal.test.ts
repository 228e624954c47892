import { afterAll, beforeAll, expect, test } from "vitest";
import { uninstall } from "../../deploy/install.ts";
import type { ControlPlane } from "../../deploy/local/control-plane.ts";
import type { Pod } from "../../src/api/kube-types.ts";
import { answer } from "./answer.ts";
import { builtReport, nextBuild } from "./builds.ts";
import { addNode, eventually, list, read } from "./kubelet.ts";
import { startModelhook, startPlane, type RunningModelhook } from "./modelhook.ts";
import { modelOf, servingPod, versionOf } from "./objects.ts";

let plane: ControlPlane;
let modelhook: RunningModelhook;

beforeAll(async () => {
  plane = await startPlane();
  modelhook = await startModelhook(plane);
  await addNode(plane, "node-1");
});
afterAll(async () => {
  await modelhook?.kill();
  await plane?.stop();
});

test("all goes when modelhook is removed, what is built or in use, too; pods go on", async () => {
  for (const name of ["served", "in-work"]) {
    await plane.kubectl(["create", "-f", "-"], JSON.stringify(versionOf("digits", name)));
  }
  await nextBuild(plane, "served", builtReport("served"));
  await answer(plane, servingPod("web", "served"));
  await answer(plane, modelOf("letters", { aliases: { prod: "served" } }));
  await eventually("a build is under way", async () => {
    const jobs = await list(plane, "jobs", "model.kubedl.io/modelversion-uid");
    return jobs.length > 0;
  });

  await uninstall(plane.kubectl);

  expect(await plane.kubectl(["get", "crd", "--output=name"])).not.toContain("model.kubedl.io");
  await modelhook.stop();
  // The process of this test is none of the Deployment's, so it may have repaired them once more.
  const configurations = "mutatingwebhookconfiguration,validatingwebhookconfiguration";
  await plane.kubectl(["delete", configurations, "modelhook", "--ignore-not-found"]);
  expect((await read<Pod>(plane, "pod", "web"))?.metadata?.deletionTimestamp).toBeUndefined();
  expect(await list(plane, "pv", "app.kubernetes.io/managed-by=modelhook")).toEqual([]);
  await eventually("the Job of the build goes", async () => {
    return (await list(plane, "jobs", "model.kubedl.io/modelversion-uid")).length === 0;
  });
  const policies = "validatingadmissionpolicies,validatingadmissionpolicybindings,clusterroles";
  expect(await plane.kubectl(["get", policies, "--output=name"])).not.toContain("modelhook");
});
