import { randomBytes } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  type ClusterPki,
  SUBJECTS,
  writeClient,
  writeClusterPki,
  writeIssued,
} from "./cluster-pki.ts";
import type { Access } from "./kubeconfig.ts";
import { apiServerUrl, CONTAINERD_SOCKET, NODE_NAME, POD_NETWORK } from "./node-components.ts";
import { nodeAddress, type Place, registryAddress } from "./place.ts";

/** The image of every pod's sandbox, in the node's registry; it has to be pushed before the first pod. */
export const SANDBOX_IMAGE = "pause:1";

/** Programs of the system that the configuration names. */
export interface NodeSystemPrograms {
  readonly runc: string;
  readonly cniDirectory: string;
}

/** Writes certificates, kubeconfigs and configuration of all components; gives the administrator's access. */
export async function writeNodeFiles(
  place: Place,
  system: NodeSystemPrograms,
): Promise<Access & { readonly kubeconfig: string }> {
  const pki = await writeClusterPki(join(place.run, "pki"), ["127.0.0.1", nodeAddress(place)]);
  await writeIssued(pki, "kubelet", {
    commonName: NODE_NAME,
    hostNames: [NODE_NAME],
    addresses: [nodeAddress(place)],
  });
  const [admin] = await Promise.all([
    writeNodeClient(place, pki, "admin", SUBJECTS.admin),
    writeNodeClient(place, pki, "controller-manager", SUBJECTS.controllerManager),
    writeNodeClient(place, pki, "scheduler", SUBJECTS.scheduler),
    writeNodeClient(place, pki, "proxy", SUBJECTS.proxy),
    writeNodeClient(place, pki, "kubelet", {
      commonName: `system:node:${NODE_NAME}`,
      organization: "system:nodes",
    }),
    writeRegistryFiles(place),
    writeContainerdFiles(place, system),
    writeJson(join(place.run, "kubelet.json"), kubeletConfiguration(place)),
  ]);
  return admin;
}

async function writeNodeClient(
  place: Place,
  pki: ClusterPki,
  name: string,
  subject: Parameters<typeof writeClient>[2]["subject"],
): ReturnType<typeof writeClient> {
  return writeClient(pki, place.run, { name, server: apiServerUrl(place), subject });
}

async function writeRegistryFiles(place: Place): Promise<void> {
  await mkdir(place.registryData, { recursive: true });
  await writeJson(join(place.run, "registry.json"), {
    version: 0.1,
    log: { level: "warn", accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: place.registryData }, delete: { enabled: true } },
    http: { addr: "0.0.0.0:5000", secret: randomBytes(16).toString("hex") },
  });
}

async function writeContainerdFiles(place: Place, system: NodeSystemPrograms): Promise<void> {
  const cni = join(place.run, "cni");
  const registry = registryAddress(place);
  const hosts = join(place.run, "hosts", registry);
  await Promise.all([mkdir(cni, { recursive: true }), mkdir(hosts, { recursive: true })]);
  await writeFile(
    join(hosts, "hosts.toml"),
    `server = "http://${registry}"\n[host."http://${registry}"]\n`,
  );
  // ptp routes all traffic between pods through the node: with a bridge, a Service that leads to a pod
  // on the same bridge would need the kernel module br_netfilter.
  await writeJson(join(cni, "10-ptp.conflist"), {
    cniVersion: "1.0.0",
    name: "pods",
    plugins: [
      {
        type: "ptp",
        ipMasq: true,
        ipam: {
          type: "host-local",
          dataDir: "/run/cni",
          ranges: [[{ subnet: POD_NETWORK }]],
          routes: [{ dst: "0.0.0.0/0" }],
        },
      },
      { type: "portmap", capabilities: { portMappings: true } },
    ],
  });
  await writeFile(join(place.run, "containerd.toml"), containerdConfiguration(place, cni, system));
}

function containerdConfiguration(place: Place, cni: string, system: NodeSystemPrograms): string {
  // A JSON string is a TOML string.
  const text = JSON.stringify;
  return `version = 3
root = ${text(join(place.run, "containerd"))}
state = "/run/containerd"
[grpc]
  address = ${text(CONTAINERD_SOCKET)}
[plugins.'io.containerd.internal.v1.opt']
  path = ${text(join(place.run, "containerd-opt"))}
[plugins.'io.containerd.cri.v1.runtime']
  # Without CAP_SYS_RESOURCE runc may not lower a container's score, and then does not start it.
  restrict_oom_score_adj = true
  [plugins.'io.containerd.cri.v1.runtime'.cni]
    bin_dirs = [${text(system.cniDirectory)}]
    conf_dir = ${text(cni)}
  [plugins.'io.containerd.cri.v1.runtime'.containerd]
    default_runtime_name = "runc"
    [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
        BinaryName = ${text(system.runc)}
        SystemdCgroup = false
[plugins.'io.containerd.cri.v1.images'.pinned_images]
  sandbox = ${text(`${registryAddress(place)}/${SANDBOX_IMAGE}`)}
[plugins.'io.containerd.cri.v1.images'.registry]
  config_path = ${text(join(place.run, "hosts"))}
`;
}

function kubeletConfiguration(place: Place): object {
  const pki = join(place.run, "pki");
  return {
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    authentication: {
      anonymous: { enabled: false },
      webhook: { enabled: true },
      x509: { clientCAFile: join(pki, "ca.crt") },
    },
    authorization: { mode: "Webhook" },
    tlsCertFile: join(pki, "kubelet.crt"),
    tlsPrivateKeyFile: join(pki, "kubelet.key"),
    containerRuntimeEndpoint: `unix://${CONTAINERD_SOCKET}`,
    volumePluginDir: join(place.run, "volume-plugins"),
    cgroupDriver: "cgroupfs",
    cgroupRoot: place.cgroup,
    failCgroupV1: false,
    failSwapOn: false,
    // The host's resolv.conf names servers that the node cannot reach.
    resolvConf: "",
    // There is no DNS in the cluster; asked here, where nothing listens, a look-up fails at once.
    clusterDNS: [nodeAddress(place)],
    clusterDomain: "cluster.local",
    // The disk is the host's: how full it is says nothing about the node's pods.
    imageGCHighThresholdPercent: 100,
    imageGCLowThresholdPercent: 99,
    evictionHard: {
      "memory.available": "50Mi",
      "nodefs.available": "1%",
      "imagefs.available": "1%",
    },
    serializeImagePulls: false,
  };
}

async function writeJson(path: string, value: object): Promise<void> {
  await writeFile(path, `${JSON.stringify(value, undefined, 2)}\n`, { mode: 0o600 });
}
