import { eventually, kubectl, read, type TestNode } from "../node.ts";
import { whenAnotherLeads } from "../faults/replicas.ts";
import type { KubeObject } from "../../../src/api/kube-types.ts";

const NAMESPACE = "modelhook-system";
const THIEF = "a-test";

interface Lease extends KubeObject {
  readonly spec?: { readonly holderIdentity?: string };
}

/**
 * Takes the lease away from whoever leads, for longer than a test takes: the replicas go on to answer the API server, and none of
 * them is a controller.
 */
export async function takeLease(node: TestNode): Promise<void> {
  await eventually("the lease", async () => {
    await patch(node, { holderIdentity: THIEF, leaseDurationSeconds: 600 });
    // A leader may have renewed it at the same moment; it hears of the thief at the next time.
    await new Promise((resolve) => setTimeout(resolve, 6000));
    return (await holder(node)) === THIEF;
  });
}

/** Gives the lease back, and waits until a replica leads; does nothing when it was not taken. */
export async function giveBackLease(node: TestNode): Promise<void> {
  if ((await holder(node)) !== THIEF) return;
  await patch(node, { holderIdentity: "" });
  await whenAnotherLeads(node);
}

async function patch(node: TestNode, spec: object): Promise<void> {
  const text = JSON.stringify({ spec });
  await kubectl(node, NAMESPACE, "patch", "lease", "modelhook", "--type=merge", `--patch=${text}`);
}

async function holder(node: TestNode): Promise<string | undefined> {
  return (await read<Lease>(node, NAMESPACE, "lease", "modelhook"))?.spec?.holderIdentity;
}
