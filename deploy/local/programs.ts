/** One program of the local node, compiled from a Go module under `go/<group>`. */
export interface Program {
  readonly group: string;
  readonly package: string;
  readonly cgo: boolean;
  /** Seconds of a cold compilation on two cores, after the programs above it in the table. */
  readonly seconds: number;
}

/** Every program that the project builds, in the order in which a starting cluster needs them. */
export const PROGRAMS = {
  etcd: { group: "etcd", package: "go.etcd.io/etcd/server/v3", cgo: false, seconds: 42 },
  "kube-apiserver": {
    group: "kubernetes",
    package: "k8s.io/kubernetes/cmd/kube-apiserver",
    cgo: false,
    seconds: 168,
  },
  "kube-controller-manager": {
    group: "kubernetes",
    package: "k8s.io/kubernetes/cmd/kube-controller-manager",
    cgo: false,
    seconds: 46,
  },
  kubectl: {
    group: "kubernetes",
    package: "k8s.io/kubernetes/cmd/kubectl",
    cgo: false,
    seconds: 17,
  },
  "kube-scheduler": {
    group: "kubernetes",
    package: "k8s.io/kubernetes/cmd/kube-scheduler",
    cgo: false,
    seconds: 4,
  },
  containerd: {
    group: "containerd",
    package: "github.com/containerd/containerd/v2/cmd/containerd",
    cgo: true,
    seconds: 40,
  },
  "containerd-shim-runc-v2": {
    group: "containerd",
    package: "github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2",
    cgo: true,
    seconds: 1,
  },
  ctr: {
    group: "containerd",
    package: "github.com/containerd/containerd/v2/cmd/ctr",
    cgo: true,
    seconds: 2,
  },
  crane: {
    group: "crane",
    package: "github.com/google/go-containerregistry/cmd/crane",
    cgo: false,
    seconds: 3,
  },
  registry: {
    group: "registry",
    package: "github.com/distribution/distribution/v3/cmd/registry",
    cgo: false,
    seconds: 44,
  },
  kubelet: {
    group: "kubernetes",
    package: "k8s.io/kubernetes/cmd/kubelet",
    cgo: true,
    seconds: 123,
  },
  "kube-proxy": {
    group: "kubernetes",
    package: "k8s.io/kubernetes/cmd/kube-proxy",
    cgo: false,
    seconds: 7,
  },
  executor: {
    group: "kaniko",
    package: "github.com/GoogleContainerTools/kaniko/cmd/executor",
    cgo: false,
    seconds: 68,
  },
  "training-operator": {
    group: "training-operator",
    package: "github.com/kubeflow/training-operator/cmd/training-operator.v1",
    cgo: false,
    seconds: 88,
  },
  jobset: { group: "jobset", package: "sigs.k8s.io/jobset", cgo: false, seconds: 108 },
} as const satisfies Record<string, Program>;

/** The name of a program in the table; also the name of its file. */
export type ProgramName = keyof typeof PROGRAMS;

/** The programs of a control plane without nodes. */
export const CONTROL_PLANE_PROGRAMS = [
  "etcd",
  "kube-apiserver",
  "kube-controller-manager",
  "kubectl",
] as const satisfies readonly ProgramName[];
