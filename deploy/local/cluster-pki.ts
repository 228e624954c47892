import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { SERVICE_ADDRESS } from "./components.ts";
import { type Access, writeKubeconfig } from "./kubeconfig.ts";
import {
  issue,
  type KeyPair,
  makeAuthority,
  type Subject,
  writeKeyPair,
  writeServiceAccountKeys,
} from "./pki.ts";

/** A cluster's authority and the directory with the files that its programs read. */
export interface ClusterPki {
  readonly directory: string;
  readonly authority: KeyPair;
}

/** Writes ca, apiserver, kubelet-client (the API server towards kubelets) and the ServiceAccount keys. */
export async function writeClusterPki(
  directory: string,
  apiServerAddresses: readonly string[],
): Promise<ClusterPki> {
  await mkdir(directory, { recursive: true });
  const authority = await makeAuthority("modelhook-local-cluster");
  const pki = { directory, authority };
  await Promise.all([
    writeKeyPair(directory, "ca", authority),
    writeServiceAccountKeys(directory),
    writeIssued(pki, "apiserver", {
      commonName: "kube-apiserver",
      addresses: [SERVICE_ADDRESS, ...apiServerAddresses],
      hostNames: [
        "localhost",
        "kubernetes",
        "kubernetes.default",
        "kubernetes.default.svc",
        "kubernetes.default.svc.cluster.local",
      ],
    }),
    writeIssued(pki, "kubelet-client", {
      commonName: "kube-apiserver-kubelet-client",
      organization: "system:masters",
    }),
  ]);
  return pki;
}

/** Issues a certificate and writes it beside the others. */
export async function writeIssued(pki: ClusterPki, name: string, subject: Subject): Promise<void> {
  await writeKeyPair(pki.directory, name, await issue(pki.authority, subject));
}

/** Writes `<name>.kubeconfig` for a new client into a directory and gives what is in it. */
export async function writeClient(
  pki: ClusterPki,
  directory: string,
  client: { readonly name: string; readonly server: string; readonly subject: Subject },
): Promise<Access & { readonly kubeconfig: string }> {
  const access = {
    name: client.name,
    server: client.server,
    authority: pki.authority.cert,
    client: await issue(pki.authority, client.subject),
  };
  const kubeconfig = join(directory, `${client.name}.kubeconfig`);
  await writeKubeconfig(kubeconfig, access);
  return { ...access, kubeconfig };
}

/** Whom RBAC knows the cluster's own clients as. */
export const SUBJECTS = {
  admin: { commonName: "admin", organization: "system:masters" },
  controllerManager: { commonName: "system:kube-controller-manager" },
  scheduler: { commonName: "system:kube-scheduler" },
  proxy: { commonName: "system:kube-proxy" },
} as const satisfies Record<string, Subject>;
