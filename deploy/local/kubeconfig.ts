import { writeFile } from "node:fs/promises";
import type { KeyPair } from "./pki.ts";

/** How a client reaches an API server and proves who it is; certificates are PEM. */
export interface Access {
  readonly server: string;
  readonly authority: string;
  readonly client: KeyPair;
  /** Name of the cluster, the user and the context in the file. */
  readonly name: string;
}

/** Writes a kubeconfig of one context that needs no other file, readable by its owner only. */
export async function writeKubeconfig(path: string, access: Access): Promise<void> {
  const { name, server, authority, client } = access;
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name, cluster: { server, "certificate-authority-data": base64(authority) } }],
    users: [
      {
        name,
        user: {
          "client-certificate-data": base64(client.cert),
          "client-key-data": base64(client.key),
        },
      },
    ],
    contexts: [{ name, context: { cluster: name, user: name } }],
    "current-context": name,
  };
  // JSON is YAML, and kubectl reads it as such.
  await writeFile(path, `${JSON.stringify(config, undefined, 2)}\n`, { mode: 0o600 });
}

function base64(pem: string): string {
  return Buffer.from(pem).toString("base64");
}
