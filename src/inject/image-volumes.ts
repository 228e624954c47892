import type { Node, Pod } from "../api/kube-types.ts";
import { canGoTo, conditionsOn } from "./node-fit.ts";

/** A program, and the first version of it, major and minor, that does what is needed. */
interface Needed {
  readonly name: string;
  readonly version: readonly [number, number];
}

/** Image volumes are on by default from here (KEP-4639). */
const KUBERNETES: Needed = { name: "Kubernetes", version: [1, 35] };
/** Container runtimes by their scheme; older ones mount the whole image where a subPath is asked for, and say nothing of it. */
const RUNTIMES: ReadonlyMap<string, Needed> = new Map([
  ["containerd", { name: "containerd", version: [2, 2] }],
  ["cri-o", { name: "CRI-O", version: [1, 33] }],
]);

/**
 * Conditions that one answer may look at, 50 to 100 ms of work and 200 on each of 5,000 nodes: the pod is other people's, and
 * everybody else's admission waits meanwhile.
 */
const MAX_LOOKS = 1_000_000;

/** Said where no node is known for the pod: it may have to be there first, for one to be made. */
export const NO_NODE = "no node is known that the pod can go to";

/**
 * Why the model can not be an image volume of the pod, as words after a colon; undefined when every node that the pod can go to
 * mounts the subPath of one.
 */
export function imageVolumeObstacle(pod: Pod, nodes: readonly Node[]): string | undefined {
  const conditions = conditionsOn(pod);
  if (conditions * nodes.length > MAX_LOOKS) {
    return `the pod has ${conditions} conditions on nodes, too many to look at`;
  }
  let isCapable = false;
  let first: string | undefined;
  let others = 0;
  for (const node of nodes) {
    const lacking = lackOf(node);
    // Of nodes that can do it, one is enough to know; of those that can not, each counts.
    if (lacking === undefined) isCapable ||= canGoTo(pod, node);
    else if (canGoTo(pod, node)) {
      if (first === undefined) first = `node ${node.metadata?.name ?? ""} has ${lacking}`;
      else others += 1;
    }
  }
  if (first === undefined) return isCapable ? undefined : NO_NODE;
  if (others === 0) return first;
  return `${first}; ${others === 1 ? "1 more node falls" : `${others} more nodes fall`} short`;
}

/** What the node has instead of what is needed. */
function lackOf({ status }: Node): string | undefined {
  const kubelet = status?.nodeInfo?.kubeletVersion ?? "";
  return lackOfVersion(KUBERNETES, kubelet) ?? lackOfRuntime(status?.nodeInfo);
}

function lackOfRuntime(info: NonNullable<Node["status"]>["nodeInfo"]): string | undefined {
  const [, scheme = "", version = ""] =
    /^([\w.-]{1,32}):\/\/(.*)$/.exec(info?.containerRuntimeVersion ?? "") ?? [];
  const needed = RUNTIMES.get(scheme);
  if (needed !== undefined) return lackOfVersion(needed, version);
  const found = scheme === "" ? "an unknown container runtime" : `container runtime ${scheme}`;
  const wanted = [...RUNTIMES.values()].map((each) => `${each.name} ${each.version.join(".")}`);
  return `${found}, ${wanted.join(" or ")} is needed`;
}

/** Compares major and minor only: a pre-release has all of what its release has. */
function lackOfVersion({ name, version }: Needed, text: string): string | undefined {
  const [found, major, minor] = /^v?(\d{1,5})\.(\d{1,5})(?:\.\d{1,9})?/.exec(text) ?? [];
  const distance = Number(major) - version[0] || Number(minor) - version[1];
  if (distance >= 0) return undefined;
  const has =
    found === undefined ? `an unknown version of ${name}` : `${name} ${found.replace("v", "")}`;
  return `${has}, ${version.join(".")} is needed`;
}
