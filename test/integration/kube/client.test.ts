import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { parse } from "yaml";
import type { KubeObject } from "../../../src/api/kube-types.ts";
import { connect, type ApiServer, type ConnectOptions } from "../../../src/kube/client.ts";
import { ConnectionError, isForbidden } from "../../../src/kube/errors.ts";
import { resources } from "../../../src/kube/resources.ts";
import { create, get } from "../../../src/kube/write.ts";
import { startFaultyProxy } from "../../faults/proxy.ts";
import { useCluster } from "./cluster.ts";

const cluster = useCluster();

describe("as a service account", () => {
  test("a token that was replaced in its file is used for the next request", async () => {
    const namespace = await cluster.makeNamespace();
    const directory = await makeServiceAccountFiles();
    const api = await open({ inCluster: { server: cluster.plane.url, directory } });

    await writeFile(join(directory, "token"), await makeToken(namespace, "first"));
    const before = await whoAmI(api);
    await writeFile(join(directory, "token"), await makeToken(namespace, "second"));

    expect(before).toBe(`system:serviceaccount:${namespace}:first`);
    expect(await whoAmI(api)).toBe(`system:serviceaccount:${namespace}:second`);
  });

  test("what RBAC does not allow is forbidden, and the message says what", async () => {
    const namespace = await cluster.makeNamespace();
    const directory = await makeServiceAccountFiles();
    await writeFile(join(directory, "token"), await makeToken(namespace, "nobody"));
    const api = await open({ inCluster: { server: cluster.plane.url, directory } });

    const error: unknown = await get(api, resources.secrets, { namespace, name: "x" }).catch(
      (failure: unknown) => failure,
    );

    expect(isForbidden(error)).toBe(true);
    expect(error).toMatchObject({
      reason: "Forbidden",
      request: `GET /api/v1/namespaces/${namespace}/secrets/x`,
      message: expect.stringContaining("cannot get resource"),
    });
  });

  test("a token that is none is refused as unauthorized", async () => {
    const directory = await makeServiceAccountFiles();
    await writeFile(join(directory, "token"), "invalid");
    const api = await open({ inCluster: { server: cluster.plane.url, directory } });

    await expect(whoAmI(api)).rejects.toMatchObject({ status: 401, reason: "Unauthorized" });
  });

  test("a missing token is a connection that failed, not a crash", async () => {
    const directory = await makeServiceAccountFiles();
    const api = await open({ inCluster: { server: cluster.plane.url, directory } });

    await expect(whoAmI(api)).rejects.toThrow(ConnectionError);
    await expect(whoAmI(api)).rejects.toThrow(join(directory, "token"));
  });

  test("a server of another authority is not spoken to", async () => {
    const { plane, directory: scratch } = cluster;
    const proxy = await startFaultyProxy({ kubeconfig: plane.kubeconfig, directory: scratch });
    onTestFinished(async () => proxy.stop());
    const directory = await makeServiceAccountFiles();
    await writeFile(join(directory, "token"), "secret");
    const api = await open({ inCluster: { server: proxy.url, directory } });

    await expect(whoAmI(api)).rejects.toThrow("unable to verify the first certificate");
    expect(proxy.seen).toEqual([]);
  });
});

describe("by kubeconfig", () => {
  test("the client certificate of the current context is used", async () => {
    const api = await open({ kubeconfigPath: cluster.plane.kubeconfig });

    expect(await whoAmI(api)).toBe("admin");
  });

  test.each<{
    what: string;
    change: (config: Kubeconfig) => void;
    options?: ConnectOptions;
    message: string;
  }>([
    {
      what: "a context that is not there",
      change() {},
      options: { context: "absent" },
      message: 'has no context "absent" with a cluster; its contexts: admin',
    },
    {
      what: "a cluster that is not there",
      change: (config) => config.clusters.splice(0),
      message: 'has no context "admin" with a cluster',
    },
    {
      what: "a proxy, which is not supported",
      change: ({ clusters }) =>
        Object.assign(clusters[0]?.cluster ?? {}, { "proxy-url": "http://p:1" }),
      message: "only direct connections are supported",
    },
    {
      what: "a cluster without an address",
      change: ({ clusters }) => Object.assign(clusters[0]?.cluster ?? {}, { server: "" }),
      message: "clusters[0].cluster.server is missing",
    },
  ])("$what is refused with its name", async ({ change, options, message }) => {
    const config = parse(await readFile(cluster.plane.kubeconfig, "utf8")) as Kubeconfig;
    change(config);
    const path = join(await mkdtemp(join(cluster.directory, "kubeconfig-")), "config");
    await writeFile(path, JSON.stringify(config));

    await expect(connect({ kubeconfigPath: path, ...options })).rejects.toThrow(message);
    await expect(connect({ kubeconfigPath: path, ...options })).rejects.toThrow(path);
  });

  test("a missing file is named", async () => {
    await expect(connect({ kubeconfigPath: "/absent/config" })).rejects.toThrow("/absent/config");
  });
});

test("requests one after another share connections, and a reset costs one request only", async () => {
  const { plane, directory } = cluster;
  const proxy = await startFaultyProxy({ kubeconfig: plane.kubeconfig, directory });
  onTestFinished(async () => proxy.stop());
  const api = await open({ kubeconfigPath: proxy.kubeconfig });
  for (let request = 0; request < 20; request += 1) await whoAmI(api);
  // The second request may come before the first connection counts as free.
  expect(proxy.connections()).toBeLessThanOrEqual(2);
  proxy.fault(() => true, { kind: "reset" });

  await expect(whoAmI(api)).rejects.toThrow("ECONNRESET");

  expect(await whoAmI(api)).toBe("admin");
});

interface Kubeconfig {
  readonly clusters: { cluster: object }[];
}

async function open(options: ConnectOptions): Promise<ApiServer> {
  const api = await connect(options);
  onTestFinished(async () => api.close());
  return api;
}

/** A directory as the kubelet mounts it, the token still missing. */
async function makeServiceAccountFiles(): Promise<string> {
  const directory = await mkdtemp(join(cluster.directory, "account-"));
  const { clusters } = parse(await readFile(cluster.plane.kubeconfig, "utf8")) as {
    clusters: { cluster: { "certificate-authority-data": string } }[];
  };
  await writeFile(
    join(directory, "ca.crt"),
    atob(clusters[0]?.cluster["certificate-authority-data"] ?? ""),
  );
  return directory;
}

async function makeToken(namespace: string, name: string): Promise<string> {
  const accounts = {
    group: "",
    version: "v1",
    plural: "serviceaccounts",
    kind: "ServiceAccount",
    namespaced: true,
  };
  await create(cluster.api, accounts, { metadata: { namespace, name } });
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`;
  const { status } = await cluster.api.request<{ status: { token: string } }>("POST", path, {
    body: {},
  });
  return status.token;
}

async function whoAmI(api: ApiServer): Promise<string> {
  const path = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
  const { status } = await api.request<KubeObject & { status: { userInfo: { username: string } } }>(
    "POST",
    path,
    { body: { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" } },
  );
  return status.userInfo.username;
}
