import { dirname, join } from "node:path";
import type { ProgramPaths } from "./build.ts";
import {
  apiServerArguments,
  controllerManagerArguments,
  etcdArguments,
  etcdUrl,
  schedulerArguments,
} from "./components.ts";
import { nodeAddress, type Place } from "./place.ts";
import type { ProgramName } from "./programs.ts";

/** The programs of a node with its control plane and registry, and crane to fill that registry. */
export const NODE_PROGRAMS = [
  "etcd",
  "kube-apiserver",
  "kube-controller-manager",
  "kubectl",
  "kube-scheduler",
  "containerd",
  "containerd-shim-runc-v2",
  "crane",
  "registry",
  "kubelet",
  "kube-proxy",
] as const satisfies readonly ProgramName[];

/** What runs in the node's namespaces, in the order of starting. */
export const COMPONENTS = [
  "etcd",
  "registry",
  "containerd",
  "kube-apiserver",
  "kube-controller-manager",
  "kube-scheduler",
  "kubelet",
  "kube-proxy",
] as const;
export type ComponentName = (typeof COMPONENTS)[number];

/** What pods get as addresses; the first is their gateway. */
export const POD_NETWORK = "10.244.0.0/24";

/** The node's name, the one that KubeDL's own examples use for storage on a node. */
export const NODE_NAME = "kind-control-plane";

/** containerd's socket, in the node's own /run. */
export const CONTAINERD_SOCKET = "/run/containerd/containerd.sock";

/** Where the API server is, from everywhere. */
export function apiServerUrl(place: Place): string {
  return `https://${nodeAddress(place)}:6443`;
}

/** The command line of every component; the files that they name are written by `writeNodeFiles`. */
export function nodeCommands(
  place: Place,
  programs: ProgramPaths<(typeof NODE_PROGRAMS)[number]>,
): Readonly<Record<ComponentName, readonly string[]>> {
  const pki = join(place.run, "pki");
  const kubeconfig = (name: string) => join(place.run, `${name}.kubeconfig`);
  const address = nodeAddress(place);
  return {
    etcd: [programs.etcd, ...etcdArguments(join(place.run, "etcd"), "/run")],
    registry: [programs.registry, "serve", join(place.run, "registry.json")],
    containerd: [programs.containerd, "--config", join(place.run, "containerd.toml")],
    "kube-apiserver": [
      programs["kube-apiserver"],
      ...apiServerArguments({
        pki,
        etcd: etcdUrl("/run"),
        bindAddress: "0.0.0.0",
        advertiseAddress: address,
        port: 6443,
        enableAdmissionPlugins: ["NodeRestriction"],
        disableAdmissionPlugins: [],
      }),
    ],
    "kube-controller-manager": [
      programs["kube-controller-manager"],
      ...controllerManagerArguments(pki, kubeconfig("controller-manager")),
    ],
    "kube-scheduler": [programs["kube-scheduler"], ...schedulerArguments(kubeconfig("scheduler"))],
    kubelet: [
      programs.kubelet,
      `--config=${join(place.run, "kubelet.json")}`,
      `--kubeconfig=${kubeconfig("kubelet")}`,
      `--hostname-override=${NODE_NAME}`,
      `--root-dir=${join(place.run, "kubelet")}`,
      `--node-ip=${address}`,
    ],
    "kube-proxy": [
      programs["kube-proxy"],
      `--kubeconfig=${kubeconfig("proxy")}`,
      `--hostname-override=${NODE_NAME}`,
      "--proxy-mode=nftables",
      `--cluster-cidr=${POD_NETWORK}`,
      // The table of connections is the host's: its size is not ours to change.
      "--conntrack-max-per-core=0",
    ],
  };
}

/** Directories that a component needs in its PATH beside the system's. */
export function componentPath(
  name: ComponentName,
  programs: ProgramPaths<"containerd-shim-runc-v2">,
): string[] {
  return name === "containerd" ? [dirname(programs["containerd-shim-runc-v2"])] : [];
}
