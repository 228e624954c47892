import { describe, expect, test } from "vitest";
import { makeBuiltVersion } from "../../test/make/modelversion.ts";
import { makeNode } from "../../test/make/node.ts";
import { makeServingPod, makeUsingPod } from "../../test/make/pod.ts";
import { makeEnabledNamespace } from "../../test/make/world.ts";
import type { ApiServer } from "../kube/client.ts";
import { ApiError } from "../kube/errors.ts";
import { BUILT_IN_POLICY } from "./built-in-limits.ts";
import { observePod } from "./observe-pod.ts";

const CORE = "/api/v1/namespaces/team-a";
const OURS = "/apis/model.kubedl.io/v1alpha1/namespaces/team-a";
const POD = `${CORE}/pods/web`;
const REPLICASET = "/apis/apps/v1/namespaces/team-a/replicasets/web-1";
const DEPLOYMENT = "/apis/apps/v1/namespaces/team-a/deployments/web";
const CONFIGURATION =
  "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/modelhook";
const LIMITS = "/api/v1/namespaces/modelhook-system/configmaps/modelhook";

const controlled = (kind: string, name: string) => ({
  apiVersion: "apps/v1",
  kind,
  name,
  uid: name,
  controller: true,
});
const pod = makeServingPod(({ metadata }) => {
  metadata.ownerReferences = [controlled("ReplicaSet", "web-1")];
});
const replicaSet = {
  metadata: { name: "web-1", ownerReferences: [controlled("Deployment", "web")] },
};
const deployment = { metadata: { name: "web" } };
const config =
  "build: { kanikoImage: registry.example/kaniko:1, baseImage: registry.example/sh:1 }";
const all = {
  [POD]: pod,
  [CORE]: makeEnabledNamespace(),
  [`${CORE}/pods`]: listOf(makeUsingPod()),
  [`${OURS}/modelversions`]: listOf(makeBuiltVersion()),
  [`${OURS}/models`]: listOf(),
  [`${OURS}/modelbindings`]: listOf(),
  "/api/v1/nodes": listOf(makeNode()),
  [REPLICASET]: replicaSet,
  [DEPLOYMENT]: deployment,
  [CONFIGURATION]: { metadata: { name: "modelhook" } },
  [LIMITS]: { data: { "config.yaml": config } },
};

async function observe(answers: Readonly<Record<string, unknown>>, status = 404) {
  return observePod(apiWith(answers, status), { namespace: "team-a", name: "web" }, 0);
}

test("a pod is observed with its owners, its namespace and what is known there", async () => {
  expect(await observe(all)).toMatchObject({
    now: 0,
    pod,
    world: {
      policy: { ...BUILT_IN_POLICY, baseImages: ["registry.example/sh:1"] },
      versions: [{ metadata: { name: "mnist-v1" } }],
      namespaces: [makeEnabledNamespace()],
      nodes: [{ metadata: { name: "node-1" } }],
      served: [{ metadata: { name: "web" } }],
    },
    owners: [
      { ...replicaSet, apiVersion: "apps/v1", kind: "ReplicaSet" },
      { ...deployment, apiVersion: "apps/v1", kind: "Deployment" },
    ],
    configuration: { metadata: { name: "modelhook" } },
    unread: [],
  });
});

test("there is nothing to observe when the pod does not exist", async () => {
  expect(await observe({})).toBeUndefined();
});

test("a pod that its user may not read is no pod that does not exist", async () => {
  await expect(observe({}, 403)).rejects.toThrow(`no ${POD}`);
});

describe("what may not be read is said, and the rest is read", () => {
  const shown: Readonly<Record<string, string>> = {
    [CORE]: "namespace team-a",
    [`${CORE}/pods`]: "pods of namespace team-a",
    [`${OURS}/modelversions`]: "modelversions of namespace team-a",
    [`${OURS}/models`]: "models of namespace team-a",
    [`${OURS}/modelbindings`]: "modelbindings of namespace team-a",
    "/api/v1/nodes": "nodes",
    [REPLICASET]: "ReplicaSet web-1",
    [DEPLOYMENT]: "Deployment web",
    [CONFIGURATION]: "the webhook configuration",
    [LIMITS]: "the administrator's limits (ConfigMap modelhook-system/modelhook)",
  };
  test.each(Object.entries(shown))("%s", async (path, what) => {
    const { [path]: _, ...others }: Record<string, unknown> = all;
    const observed = await observe(others, 403);
    const messages = observed?.unread.map(({ message }) => message);
    expect(messages).toEqual([`${what} can not be read (forbidden): no ${path}`]);
  });

  test("all of it", async () => {
    const observed = await observe({ [POD]: pod }, 403);
    expect(observed).toMatchObject({ pod, owners: [], world: { policy: BUILT_IN_POLICY } });
    expect(observed?.configuration).toBeUndefined();
    expect(observed?.world.nodes).toBeUndefined();
    // Without the ReplicaSet nobody knows of the Deployment.
    expect(observed?.unread).toHaveLength(Object.keys(shown).length - 1);
  });
});

test("a webhook configuration that does not exist is absent, and not unknown", async () => {
  const { [CONFIGURATION]: _, ...others }: Record<string, unknown> = all;
  expect(await observe(others)).toMatchObject({ configuration: "absent", unread: [] });
});

test("a failure of the API server is no answer", async () => {
  const { "/api/v1/nodes": _, ...others } = all;
  await expect(observe(others, 500)).rejects.toThrow("no /api/v1/nodes");
});

function listOf(...items: readonly object[]): object {
  return { metadata: { resourceVersion: "1" }, items };
}

/** An API server that has these answers and refuses all else. */
function apiWith(answers: Readonly<Record<string, unknown>>, status: number): ApiServer {
  return {
    url: "https://test",
    async request<T>(_method: string, path: string): Promise<T> {
      if (path in answers) return answers[path] as T;
      const request = `GET ${path}`;
      throw new ApiError({ status, reason: "", message: `no ${path}`, details: {}, request });
    },
    stream: async () => {
      throw new Error("nothing is watched");
    },
    close: async () => {},
  };
}
