import { mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { stringify } from "yaml";
import { eventually, type TestNode } from "../node.ts";

/** Port of a registry on the node that asks for `LOGIN`. */
export const CLOSED_PORT = 5001;
/** Port of a registry on the node that takes no pushes. */
export const READ_ONLY_PORT = 5002;

/** A base image that versions may name, and that is nowhere; its registry is the cluster's. */
export const MISSING_BASE = "models/no-base:1";

export const LOGIN = { username: "builder", password: "correct horse" };
/** The same, as bcrypt, which is all that the registry takes. */
const HTPASSWD = "builder:$2y$05$abcdefghijklmnopqrstuuHNbAKRhpaujgo33bRWs.NLUTJO3lOy2\n";

/** Starts both registries in the namespaces of the node, beside the cluster's own; gives what stops them. */
export async function startOtherRegistries({ cluster }: TestNode): Promise<AsyncDisposable> {
  const directory = join(dirname(await cluster.addHostPath("/models")), "other-registries");
  await mkdir(directory, { recursive: true });
  const htpasswd = join(directory, "htpasswd");
  await writeFile(htpasswd, HTPASSWD);
  const pids = [
    await start(CLOSED_PORT, { auth: { htpasswd: { realm: "test", path: htpasswd } } }),
    await start(READ_ONLY_PORT, {}, { maintenance: { readonly: { enabled: true } } }),
  ];

  async function start(port: number, more: object, storage: object = {}): Promise<string> {
    const root = join(directory, String(port));
    const config = `${root}.yaml`;
    await writeFile(
      config,
      stringify({
        version: "0.1",
        log: { level: "error", accesslog: { disabled: true } },
        storage: { filesystem: { rootdirectory: root }, ...storage },
        http: { addr: `0.0.0.0:${port}` },
        ...more,
      }),
    );
    const script = '"$@" </dev/null >/dev/null 2>&1 & echo $!';
    const command = [cluster.bin("registry"), "serve", config];
    const pid = await cluster.enter(["/bin/sh", "-c", script, "sh", ...command]);
    await eventually(`the registry at port ${port}`, async () =>
      fetch(`http://${hostOf(cluster.registry, port)}/v2/`),
    );
    return pid.trim();
  }

  return {
    async [Symbol.asyncDispose]() {
      await cluster.enter(["kill", "-KILL", ...pids]);
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Host and port of a registry beside the cluster's. */
export function hostOf(registry: string, port: number): string {
  return registry.replace(/:\d+$/, `:${port}`);
}

/** A Secret with a password for a registry. */
export function loginSecret(name: string, host: string, password: string): object {
  const auth = Buffer.from(`${LOGIN.username}:${password}`).toString("base64");
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name },
    type: "kubernetes.io/dockerconfigjson",
    stringData: { ".dockerconfigjson": JSON.stringify({ auths: { [host]: { auth } } }) },
  };
}
