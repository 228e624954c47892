import type { World } from "../../src/cli/world.ts";
import { LABELS } from "../../src/api/annotations.ts";
import type { KubeObject } from "../../src/api/kube-types.ts";
import { makeBuiltVersion } from "./modelversion.ts";
import { frozen, type Draft, type Tweak } from "./frozen.ts";
import { makeNode } from "./node.ts";
import { makePolicy } from "./snapshot.ts";

/** What is known of a cluster with the built ModelVersion mnist-v1, and a node that mounts no image volumes. */
export function makeWorld(tweak: Tweak<Draft<World>> = () => {}): World {
  const node = makeNode(({ status }) => {
    status.nodeInfo.containerRuntimeVersion = "containerd://1.7.0";
  });
  return frozen<Draft<World>>(
    {
      policy: makePolicy(),
      versions: [makeBuiltVersion()],
      models: [],
      bindings: [],
      namespaces: [{ apiVersion: "v1", kind: "Namespace", metadata: { name: "team-a" } }],
      nodes: [node],
      served: [],
    },
    tweak,
  );
}

/** Namespace team-a, with the label that puts bindings into effect. */
export function makeEnabledNamespace(): KubeObject {
  return frozen(
    {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: "team-a", labels: { [LABELS.injection]: "enabled" } },
    },
    () => {},
  );
}
