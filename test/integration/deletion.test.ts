import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ControlPlane } from "../../deploy/local/control-plane.ts";
import type { Pod } from "../../src/api/kube-types.ts";
import { answer } from "./answer.ts";
import { builtReport, nextBuild } from "./builds.ts";
import { addNode, eventually, read, succeed } from "./kubelet.ts";
import { startModelhook, startPlane, type RunningModelhook } from "./modelhook.ts";
import { servingPod, versionOf } from "./objects.ts";

const COLLECTION = "/apis/model.kubedl.io/v1alpha1/namespaces/all/modelversions";

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

describe("a version that pods use", () => {
  test("can not be deleted, and all that use it are named or counted", async () => {
    await makeUsed("used", "default", ["web-1"]);
    expect(await deletion("used")).toBe(
      denied(`1 pod uses "used": web-1; delete it first, or let it use another version`),
    );
    for (const name of ["web-4", "web-2", "web-3"]) await serve(name, "used");
    const why = `4 pods use "used": web-1, web-2, web-3 and 1 more; delete them first, or let them use another version`;
    expect(await deletion("used")).toBe(denied(why));
    expect(await deletion("used", ["--dry-run=server"])).toBe(denied(why));
    expect(await read(plane, "modelversion", "used")).toBeDefined();
  });

  test("can be deleted once they have ended or are being deleted", async () => {
    await makeUsed("ended", "default", ["ends", "goes"]);
    await succeed(plane, await pod("ends"));
    expect(await deletion("ended")).toBe(
      denied(`1 pod uses "ended": goes; delete it first, or let it use another version`),
    );
    // The finalizer stands for the time in which a kubelet stops the containers.
    const finalizers = { metadata: { finalizers: ["example.com/held"] } };
    const flags = ["--type=merge", "--patch", JSON.stringify(finalizers)];
    await plane.kubectl(["patch", "pod", "goes", ...flags]);
    await plane.kubectl(["delete", "pod", "goes", "--wait=false"]);
    expect(await deletion("ended")).toBe(deleted("ended"));
  });

  test("stays when its whole collection is deleted, until nobody uses it", async () => {
    await makeUsed("used-1", "all", ["web"]);
    await make("unused-1", "all");
    await expect(plane.kubectl(["delete", "--raw", COLLECTION])).rejects.toThrow(
      '1 pod uses "used-1": web',
    );
    expect(await read(plane, "modelversion", "used-1", "all")).toBeDefined();
    await plane.kubectl(["--namespace", "all", "delete", "pod", "web"]);
    await plane.kubectl(["delete", "--raw", COLLECTION]);
    await gone("used-1", "all");
    await gone("unused-1", "all");
  });

  test("goes with its namespace", async () => {
    await makeUsed("leaving", "leaving", ["web"]);
    await plane.kubectl(["delete", "namespace", "leaving", "--wait=false"]);
    await expect
      .poll(async () => read(plane, "namespace", "leaving"), { timeout: 30_000 })
      .toBeUndefined();
  });

  test.each([
    "system:serviceaccount:kube-system:namespace-controller",
    "system:serviceaccount:kube-system:generic-garbage-collector",
    "system:kube-controller-manager",
  ])("goes when %s deletes it, in whatever namespace", async (user) => {
    const name = `by-${user.split(":").at(-1)}`;
    await makeUsed(name, "default", [`of-${name}`]);
    await plane.kubectl([
      "create",
      "clusterrolebinding",
      name,
      "--clusterrole=cluster-admin",
      `--user=${user}`,
    ]);
    expect(await deletion(name, [`--as=${user}`])).toBe(deleted(name));
  });

  test("goes with its owner", async () => {
    await plane.kubectl(["create", "configmap", "owner"]);
    const uid = (await read(plane, "configmap", "owner"))?.metadata?.uid;
    const owner = { apiVersion: "v1", kind: "ConfigMap", name: "owner", uid };
    await makeUsed("owned", "default", ["of-owned"], { ownerReferences: [owner] });
    await plane.kubectl(["delete", "configmap", "owner"]);
    await gone("owned");
    expect((await pod("of-owned")).metadata?.deletionTimestamp).toBeUndefined();
  });
});

test("a version that pods wait for can be deleted, since it may have to be made anew", async () => {
  await plane.kubectl(["create", "--filename", "-"], JSON.stringify(versionOf("digits", "late")));
  expect(await answer(plane, servingPod("waits", "late"))).toContain("is not built yet");
  expect(await deletion("late")).toBe(deleted("late"));
});

describe("a version that pods use goes at once", () => {
  test("when modelhook does not answer", async () => {
    await makeUsed("unanswered", "default", ["of-unanswered"]);
    modelhook.pause();
    expect(await deletion("unanswered")).toBe(deleted("unanswered"));
    modelhook.resume();
  });

  test("when modelhook may not see the pods, with a warning", async () => {
    await makeUsed("unseen", "default", ["of-unseen"]);
    await plane.kubectl(["delete", "clusterrolebinding", "modelhook"]);
    expect(await deletion("unseen")).toBe(
      "Warning: modelhook could not see in time whether pods use ModelVersion unseen; it is deleted all the same",
    );
  });

  test("when modelhook does not run", async () => {
    await make("alone", "default", false);
    await modelhook.kill();
    expect(await deletion("alone")).toBe(deleted("alone"));
  });
});

/** Makes a version, built unless said. */
async function make(
  name: string,
  namespace = "default",
  built = true,
  metadata: object = {},
): Promise<void> {
  const version = versionOf("digits", name, { namespace, ...metadata });
  await plane.kubectl(["create", "--filename", "-"], JSON.stringify(version));
  if (built) await nextBuild(plane, name, builtReport(name), namespace);
}

/** Makes a version that is built, and pods that serve it. */
async function makeUsed(
  name: string,
  namespace: string,
  pods: readonly string[],
  metadata: object = {},
): Promise<void> {
  if (namespace !== "default") {
    await plane.kubectl(["create", "namespace", namespace]);
    await eventually("its ServiceAccount", async () =>
      read(plane, "serviceaccount", "default", namespace),
    );
  }
  await make(name, namespace, true, metadata);
  for (const each of pods) await serve(each, name, namespace);
}

async function serve(name: string, version: string, namespace = "default"): Promise<void> {
  expect(await answer(plane, servingPod(name, version, { namespace }))).toBe(`pod/${name} created`);
}

async function pod(name: string): Promise<Pod> {
  const found = await read<Pod>(plane, "pod", name);
  if (found === undefined) throw new Error(`there is no pod ${name}`);
  return found;
}

async function deletion(name: string, flags: readonly string[] = []): Promise<string> {
  return answer(plane, versionOf("digits", name), ["delete", "--wait=false", ...flags]);
}

async function gone(name: string, namespace = "default"): Promise<void> {
  await eventually(`${name} goes`, async () => {
    return (await read(plane, "modelversion", name, namespace)) === undefined;
  });
}

function deleted(name: string): string {
  return `modelversion.model.kubedl.io "${name}" deleted from default namespace`;
}

function denied(why: string): string {
  return `Error from server (Forbidden): error when deleting "STDIN": admission webhook "deletions.modelhook.kubedl.io" denied the request: metadata.name: ${why}`;
}
