import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { kubeconfigCredentials } from "./credentials.ts";

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "modelhook-"));
});
afterAll(async () => rm(directory, { recursive: true }));

describe("a kubeconfig's user is known by", () => {
  const credential = {
    apiVersion: "client.authentication.k8s.io/v1",
    kind: "ExecCredential",
    status: { token: "from-plugin" },
  };
  test.each<{ what: string; user: object; headers: object }>([
    { what: "a token", user: { token: "t" }, headers: { Authorization: "Bearer t" } },
    {
      what: "a password",
      user: { username: "u", password: "p" },
      headers: { Authorization: "Basic dTpw" },
    },
    {
      what: "a plugin",
      user: {
        exec: {
          apiVersion: credential.apiVersion,
          command: "echo",
          args: [JSON.stringify(credential)],
        },
      },
      headers: { Authorization: "Bearer from-plugin" },
    },
    {
      what: "another that he acts for",
      user: { token: "t", as: "somebody" },
      headers: { Authorization: "Bearer t", "Impersonate-User": "somebody" },
    },
    { what: "nothing", user: {}, headers: {} },
  ])("$what", async ({ user, headers }) => {
    const credentials = await kubeconfigCredentials({ path: await writeConfig({ user }) });

    expect(await credentials.headers()).toEqual(headers);
  });
});

describe("a kubeconfig's cluster is trusted", () => {
  test.each<{ what: string; cluster: object; expected: object }>([
    {
      what: "by its authority",
      cluster: { "certificate-authority-data": btoa("PEM") },
      expected: { ca: Buffer.from("PEM"), rejectUnauthorized: true },
    },
    {
      what: "under another name",
      cluster: { "tls-server-name": "kubernetes" },
      expected: { servername: "kubernetes", rejectUnauthorized: true },
    },
    {
      what: "blindly when it says so",
      cluster: { "insecure-skip-tls-verify": true },
      expected: { rejectUnauthorized: false },
    },
  ])("$what", async ({ cluster, expected }) => {
    const credentials = await kubeconfigCredentials({ path: await writeConfig({ cluster }) });

    expect(await credentials.tls()).toMatchObject(expected);
    expect(credentials.server).toBe("https://server.example:6443");
  });
});

test("files that a kubeconfig names beside it are read anew for each connection", async () => {
  const path = await writeConfig({ cluster: { "certificate-authority": "ca.crt" } });
  const credentials = await kubeconfigCredentials({ path });
  await writeFile(join(directory, "ca.crt"), "old");
  expect(await credentials.tls()).toMatchObject({ ca: Buffer.from("old") });

  await writeFile(join(directory, "ca.crt"), "new");

  expect(await credentials.tls()).toMatchObject({ ca: Buffer.from("new") });
});

test.each([
  { what: "is empty", text: "" },
  { what: "is no YAML", text: "{" },
])("a kubeconfig that $what is named", async ({ text }) => {
  const path = join(directory, "broken");
  await writeFile(path, text);

  await expect(kubeconfigCredentials({ path })).rejects.toThrow(path);
});

test.each([["team-a"], [undefined]])("a context's namespace is told: %s", async (namespace) => {
  const path = await writeConfig({ context: { namespace } });

  expect((await kubeconfigCredentials({ path })).namespace).toBe(namespace);
});

async function writeConfig(parts: {
  cluster?: object;
  user?: object;
  context?: object;
}): Promise<string> {
  const path = join(directory, "config");
  const config = {
    clusters: [{ name: "c", cluster: { server: "https://server.example:6443", ...parts.cluster } }],
    users: [{ name: "u", user: parts.user ?? {} }],
    contexts: [{ name: "x", context: { cluster: "c", user: "u", ...parts.context } }],
    "current-context": "x",
  };
  await writeFile(path, JSON.stringify(config));
  return path;
}
