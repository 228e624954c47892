import { join } from "node:path";

/** The address of an API server and where its certificates lie (written by `writeClusterPki`). */
export interface ApiServerSettings {
  readonly pki: string;
  readonly etcd: string;
  readonly bindAddress: string;
  /** Address that the Service `kubernetes` leads to; none when no pod can come. */
  readonly advertiseAddress?: string;
  readonly port: number;
  readonly enableAdmissionPlugins: readonly string[];
  readonly disableAdmissionPlugins: readonly string[];
}

/** The addresses of Services in every cluster made here; the first is the API server's own. */
export const SERVICE_NETWORK = "10.96.0.0/24";
export const SERVICE_ADDRESS = "10.96.0.1";

/** Arguments of an etcd that only listens on a socket: no port, and nobody but the owner of its directory gets in. */
export function etcdArguments(data: string, socketDirectory: string): string[] {
  return [
    "--name=local",
    `--data-dir=${data}`,
    `--listen-client-urls=${etcdUrl(socketDirectory)}`,
    `--listen-peer-urls=unix://${join(socketDirectory, "etcd-peer.sock")}`,
    // Only told to other members, of which there are none; etcd refuses socket addresses here.
    "--advertise-client-urls=http://127.0.0.1:1",
    "--initial-advertise-peer-urls=http://127.0.0.1:1",
    "--initial-cluster=local=http://127.0.0.1:1",
    "--unsafe-no-fsync",
    "--log-level=warn",
  ];
}

/** Where that etcd listens. */
export function etcdUrl(socketDirectory: string): string {
  return `unix://${join(socketDirectory, "etcd.sock")}`;
}

/** Arguments of a kube-apiserver with certificates for clients, Node and RBAC authorisation. */
export function apiServerArguments(settings: ApiServerSettings): string[] {
  const { pki, advertiseAddress } = settings;
  return [
    `--etcd-servers=${settings.etcd}`,
    `--service-cluster-ip-range=${SERVICE_NETWORK}`,
    `--bind-address=${settings.bindAddress}`,
    `--secure-port=${settings.port}`,
    ...(advertiseAddress === undefined
      ? ["--advertise-address=127.0.0.1", "--endpoint-reconciler-type=none"]
      : [`--advertise-address=${advertiseAddress}`]),
    `--tls-cert-file=${join(pki, "apiserver.crt")}`,
    `--tls-private-key-file=${join(pki, "apiserver.key")}`,
    `--client-ca-file=${join(pki, "ca.crt")}`,
    `--service-account-key-file=${join(pki, "sa.pub")}`,
    `--service-account-signing-key-file=${join(pki, "sa.key")}`,
    "--service-account-issuer=https://kubernetes.default.svc",
    "--authorization-mode=Node,RBAC",
    ...listFlag("enable-admission-plugins", settings.enableAdmissionPlugins),
    ...listFlag("disable-admission-plugins", settings.disableAdmissionPlugins),
    `--kubelet-client-certificate=${join(pki, "kubelet-client.crt")}`,
    `--kubelet-client-key=${join(pki, "kubelet-client.key")}`,
    `--kubelet-certificate-authority=${join(pki, "ca.crt")}`,
    // Else `kubectl logs` looks the node's name up in DNS.
    "--kubelet-preferred-address-types=InternalIP",
    "--allow-privileged=true",
    // Reaches the pods behind a webhook's Service itself, so it needs no kube-proxy.
    "--enable-aggregator-routing=true",
  ];
}

/** Arguments of a kube-controller-manager that serves nothing and competes with nobody. */
export function controllerManagerArguments(pki: string, kubeconfig: string): string[] {
  return [
    `--kubeconfig=${kubeconfig}`,
    `--service-account-private-key-file=${join(pki, "sa.key")}`,
    `--root-ca-file=${join(pki, "ca.crt")}`,
    "--use-service-account-credentials",
    "--kube-api-qps=200",
    "--kube-api-burst=400",
    "--leader-elect=false",
    "--secure-port=0",
  ];
}

/** Arguments of a kube-scheduler that serves nothing and competes with nobody. */
export function schedulerArguments(kubeconfig: string): string[] {
  return [`--kubeconfig=${kubeconfig}`, "--leader-elect=false", "--secure-port=0"];
}

function listFlag(name: string, values: readonly string[]): string[] {
  return values.length === 0 ? [] : [`--${name}=${values.join(",")}`];
}
