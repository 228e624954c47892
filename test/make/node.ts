import type { Node, ObjectMeta } from "../../src/api/kube-types.ts";
import { frozen, type Tweak } from "./frozen.ts";

type Status = NonNullable<Node["status"]>;

/** A node with the parts that every node has. */
export interface MadeNode extends Node {
  metadata: ObjectMeta & { name: string; labels: Record<string, string> };
  spec: NonNullable<Node["spec"]>;
  status: Status & { nodeInfo: NonNullable<Status["nodeInfo"]> };
}

/** A node that takes any pod, and mounts image volumes. */
export function makeNode(tweak: Tweak<MadeNode> = () => {}): MadeNode {
  return frozen(
    {
      apiVersion: "v1",
      kind: "Node",
      metadata: {
        name: "node-1",
        labels: { "kubernetes.io/hostname": "node-1", "kubernetes.io/os": "linux" },
      },
      spec: {},
      status: {
        nodeInfo: {
          architecture: "amd64",
          bootID: "11111111-0000-0000-0000-000000000001",
          containerRuntimeVersion: "containerd://2.2.1",
          kernelVersion: "6.12.0",
          kubeProxyVersion: "",
          kubeletVersion: "v1.36.3",
          machineID: "11111111000000000000000000000001",
          operatingSystem: "linux",
          osImage: "Debian GNU/Linux 13",
          systemUUID: "11111111-0000-0000-0000-000000000002",
        },
      },
    },
    tweak,
  );
}
