import { readFile, writeFile } from "node:fs/promises";
import type { KeyPair } from "./pki.ts";

/** How a client reaches an API server and proves who it is; certificates are PEM. */
export interface Access {
  readonly server: string;
  readonly authority: string;
  readonly client: KeyPair;
  /** Name of the cluster, the user and the context in the file. */
  readonly name: string;
}

interface Kubeconfig {
  readonly apiVersion: "v1";
  readonly kind: "Config";
  readonly clusters: readonly [
    {
      readonly name: string;
      readonly cluster: { readonly server: string; readonly "certificate-authority-data": string };
    },
  ];
  readonly users: readonly [
    {
      readonly name: string;
      readonly user: {
        readonly "client-certificate-data": string;
        readonly "client-key-data": string;
      };
    },
  ];
  readonly contexts: readonly {
    readonly name: string;
    readonly context: { readonly cluster: string; readonly user: string };
  }[];
  readonly "current-context": string;
}

/** Writes a kubeconfig of one context that needs no other file, readable by its owner only. */
export async function writeKubeconfig(path: string, access: Access): Promise<void> {
  const { name, server, authority, client } = access;
  const config: Kubeconfig = {
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

/** Reads back what `writeKubeconfig` wrote; other kubeconfigs may say more than it understands. */
export async function readKubeconfig(path: string): Promise<Access> {
  const { clusters, users } = JSON.parse(await readFile(path, "utf8")) as Kubeconfig;
  const [{ name, cluster }] = clusters;
  const [{ user }] = users;
  return {
    name,
    server: cluster.server,
    authority: fromBase64(cluster["certificate-authority-data"]),
    client: {
      cert: fromBase64(user["client-certificate-data"]),
      key: fromBase64(user["client-key-data"]),
    },
  };
}

function fromBase64(text: string): string {
  return Buffer.from(text, "base64").toString();
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}
