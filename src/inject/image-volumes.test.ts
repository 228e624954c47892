import { describe, expect, test } from "vitest";
import { makeNode, type MadeNode } from "../../test/make/node.ts";
import { makePod } from "../../test/make/pod.ts";
import type { Node } from "../api/kube-types.ts";
import { imageVolumeObstacle } from "./image-volumes.ts";

/** A node of that name with these versions, in the pool of the pods that choose one. */
function nodeOf(
  name: string,
  versions: { readonly kubelet?: string; readonly runtime?: string } = {},
  pool = "main",
): MadeNode {
  return makeNode((node) => {
    node.metadata.name = name;
    node.metadata.labels["pool"] = pool;
    const info = node.status.nodeInfo;
    info.kubeletVersion = versions.kubelet ?? info.kubeletVersion;
    info.containerRuntimeVersion = versions.runtime ?? info.containerRuntimeVersion;
  });
}

const OLD = { runtime: "containerd://2.1.4" };
const inMain = makePod((pod) => void (pod.spec.nodeSelector = { pool: "main" }));
const NOWHERE = "no node is known that the pod can go to";

describe("nothing is in the way of an image volume on", () => {
  test.each<[string, { readonly kubelet?: string; readonly runtime?: string }]>([
    ["the first Kubernetes that can", { kubelet: "v1.35.0" }],
    ["that of a cloud provider", { kubelet: "v1.35.0-eks-123abc" }],
    ["that of k3s", { kubelet: "v1.36.3+k3s1" }],
    ["a pre-release of it", { kubelet: "v1.35.0-alpha.1" }],
    ["a minor of three digits", { kubelet: "v1.100.0" }],
    ["a next major", { kubelet: "v2.0.0" }],
    ["the first containerd that can", { runtime: "containerd://2.2.0" }],
    ["a pre-release of it, too", { runtime: "containerd://2.2.0-rc.1" }],
    ["that of a distribution", { runtime: "containerd://2.2.0~ds1" }],
    ["a build of it", { runtime: "containerd://v2.2.1+unknown" }],
    ["a later containerd", { runtime: "containerd://2.10.0" }],
    ["the next major of containerd", { runtime: "containerd://3.0.0" }],
    ["the first CRI-O that can", { runtime: "cri-o://1.33.0" }],
    ["a later CRI-O", { runtime: "cri-o://1.35.1" }],
  ])("%s", (_, versions) => {
    expect(imageVolumeObstacle(makePod(), [nodeOf("a", versions)])).toBeUndefined();
  });
});

describe("what is in the way of an image volume is said of", () => {
  test.each<[string, { readonly kubelet?: string; readonly runtime?: string }, string]>([
    ["an older Kubernetes", { kubelet: "v1.34.1" }, "Kubernetes 1.34.1, 1.35 is needed"],
    [
      "that of a cloud provider",
      { kubelet: "v1.34.1-eks-113cf36" },
      "Kubernetes 1.34.1, 1.35 is needed",
    ],
    ["one without a patch", { kubelet: "1.9" }, "Kubernetes 1.9, 1.35 is needed"],
    ["an older major", { kubelet: "v0.99.0" }, "Kubernetes 0.99.0, 1.35 is needed"],
    ["both, Kubernetes first", { kubelet: "v1.34.1", ...OLD }, "Kubernetes 1.34.1, 1.35 is needed"],
    [
      "a kubelet that says nothing",
      { kubelet: "" },
      "an unknown version of Kubernetes, 1.35 is needed",
    ],
    ["an older containerd", OLD, "containerd 2.1.4, 2.2 is needed"],
    [
      "that of a distribution",
      { runtime: "containerd://2.1.6+bottlerocket" },
      "containerd 2.1.6, 2.2 is needed",
    ],
    [
      "an older major of it",
      { runtime: "containerd://1.7.28" },
      "containerd 1.7.28, 2.2 is needed",
    ],
    ["an older CRI-O", { runtime: "cri-o://1.32.9" }, "CRI-O 1.32.9, 1.33 is needed"],
    [
      "a runtime of an unknown version",
      { runtime: "containerd://Unknown" },
      "an unknown version of containerd, 2.2 is needed",
    ],
    [
      "another runtime",
      { runtime: "docker://28.0.1" },
      "container runtime docker, containerd 2.2 or CRI-O 1.33 is needed",
    ],
    [
      "one named as what every object has",
      { runtime: "constructor://9.9" },
      "container runtime constructor, containerd 2.2 or CRI-O 1.33 is needed",
    ],
    [
      "a runtime that says nothing",
      { runtime: "" },
      "an unknown container runtime, containerd 2.2 or CRI-O 1.33 is needed",
    ],
  ])("%s", (_, versions, text) => {
    expect(imageVolumeObstacle(makePod(), [nodeOf("a", versions)])).toBe(`node a has ${text}`);
  });
});

describe("of several nodes", () => {
  test.each<[string, readonly Node[], string | undefined]>([
    ["all that can are no obstacle", [nodeOf("a"), nodeOf("b")], undefined],
    [
      "one that can not is an obstacle",
      [nodeOf("a"), nodeOf("b", OLD)],
      "node b has containerd 2.1.4, 2.2 is needed",
    ],
    [
      "two that can not: one is named, one counted",
      [nodeOf("a", OLD), nodeOf("b", { kubelet: "v1.34.1" }), nodeOf("c")],
      "node a has containerd 2.1.4, 2.2 is needed; 1 more node falls short",
    ],
    [
      "more that can not: one is named, the rest counted",
      ["a", "b", "c"].map((name) => nodeOf(name, OLD)),
      "node a has containerd 2.1.4, 2.2 is needed; 2 more nodes fall short",
    ],
    [
      "one that can not, and that the pod can not go to, is no obstacle",
      [nodeOf("a"), nodeOf("b", OLD, "spare")],
      undefined,
    ],
    [
      "one that can, and that the pod can not go to, does not help",
      [nodeOf("a", {}, "spare")],
      NOWHERE,
    ],
    [
      "none is one that the pod can go to",
      [nodeOf("a", OLD, "spare"), nodeOf("b", {}, "spare")],
      NOWHERE,
    ],
    ["there are none", [], NOWHERE],
  ])("%s", (_, nodes, expected) => {
    expect(imageVolumeObstacle(inMain, nodes)).toBe(expected);
  });
});

test.each<[string, object]>([
  ["is empty", {}],
  ["has null parts", { metadata: null, spec: null, status: null }],
  ["has null fields", { metadata: { name: null }, status: { nodeInfo: null } }],
  [
    "has null versions",
    { status: { nodeInfo: { kubeletVersion: null, containerRuntimeVersion: null } } },
  ],
])("a node that %s can not be relied on", (_, node) => {
  expect(imageVolumeObstacle(makePod(), [node as Node])).toMatch(
    /has an unknown version of Kubernetes/,
  );
});

test("an obstacle with names as clouds give them still fits into one line", () => {
  const nodes = Array.from({ length: 5_000 }, (_, index) =>
    nodeOf(`ip-10-200-100-${index}.ap-southeast-2.compute.internal`, OLD),
  );
  expect(imageVolumeObstacle(makePod(), nodes)?.length).toBeLessThanOrEqual(130);
});

describe("a pod that is made to be compared for long", () => {
  const pod = makePod((each) => {
    each.spec.affinity = {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: Array.from({ length: 20_000 }, (_, index) => ({
            matchExpressions: [{ key: `key-${index}`, operator: "Exists" }],
          })),
        },
      },
    };
  });

  test("is not compared with many nodes", () => {
    const nodes = Array.from({ length: 500 }, (_, index) => nodeOf(`n-${index}`));
    expect(imageVolumeObstacle(pod, nodes)).toBe(
      "the pod has 40000 conditions on nodes, too many to look at",
    );
  });

  test("is compared with few all the same", () => {
    expect(imageVolumeObstacle(pod, [nodeOf("a")])).toBe(NOWHERE);
  });
});
