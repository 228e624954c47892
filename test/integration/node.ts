import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { ControlPlane } from "../../deploy/local/control-plane.ts";
import { LABELS } from "../../src/api/annotations.ts";
import type { BuildReport } from "../../src/api/build-report.ts";
import type { PersistentVolumeClaim, Pod } from "../../src/api/kube-types.ts";
import type { ApiServer } from "../../src/kube/client.ts";
import { listAll } from "../../src/kube/list.ts";
import { resources } from "../../src/kube/resources.ts";
import { get } from "../../src/kube/write.ts";
import { endBuild, eventually, succeed } from "./kubelet.ts";

/** What happens around an answer of the kubelet. */
export type Moment =
  | "before training ends"
  | "after training ends"
  | "before the build ends"
  | "after the build ends";

/** Tags of all repositories, each with what was pushed there. */
export type Registry = Map<string, { readonly digest: string; readonly versionUid: string }>;

/** Ends the pods of a namespace as a kubelet would, until the signal: each when its gates are gone and its claims are bound. */
export async function runKubelet(node: {
  readonly plane: ControlPlane;
  readonly api: ApiServer;
  readonly namespace: string;
  readonly registry: Registry;
  readonly happens: (moment: Moment) => Promise<void>;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { plane, api, namespace, registry, happens, signal } = node;
  const ended = new Set<string>();
  while (!signal.aborted) {
    const pods = await listAll<Pod>(api, resources.pods, { namespace }).catch(() => ({
      items: [],
    }));
    for (const pod of pods.items) {
      const { uid = "", labels } = pod.metadata ?? {};
      if (ended.has(uid) || !(await canStart(api, pod))) continue;
      if (labels?.["batch.kubernetes.io/job-name"] === "train") {
        await happens("before training ends");
        await insist(async () => succeed(plane, pod));
        await happens("after training ends");
      } else if (labels?.[LABELS.versionUid] !== undefined) {
        await happens("before the build ends");
        const report = build(registry, pod);
        await insist(async () => endBuild(plane, pod, report));
        await happens("after the build ends");
      } else if (labels?.[LABELS.preflight] !== undefined) {
        await insist(async () => succeed(plane, pod));
      }
      ended.add(uid);
    }
    await sleep(100);
  }
}

async function canStart(api: ApiServer, pod: Pod): Promise<boolean> {
  if ((pod.spec?.schedulingGates ?? []).length > 0) return false;
  const { namespace } = pod.metadata ?? {};
  const names = (pod.spec?.volumes ?? []).flatMap(
    (volume) => volume.persistentVolumeClaim?.claimName ?? [],
  );
  try {
    for (const name of names) {
      const claim = await get<PersistentVolumeClaim>(api, resources.persistentvolumeclaims, {
        namespace,
        name,
      });
      if (claim.status?.phase !== "Bound") return false;
    }
    return true;
  } catch {
    return false;
  }
}

/** What the containers of a build pod do: look at the tag, adopt the image that is theirs, else push. */
function build(registry: Registry, pod: Pod): BuildReport {
  const args = pod.spec?.initContainers?.[0]?.args ?? [];
  const argument = (name: string): string =>
    args.find((each) => each.startsWith(`--${name}=`))?.slice(name.length + 3) ?? "";
  const tag = argument("image");
  const versionUid = argument("version-uid");
  const present = registry.get(tag);
  if (present !== undefined && present.versionUid !== versionUid) {
    return { state: "failed", reason: "TagTaken", message: `${tag} is not ours` };
  }
  // No two builds give the same image: file times differ.
  const digest = present?.digest ?? digestOf(pod.metadata?.uid ?? "");
  registry.set(tag, { digest, versionUid });
  const image = { digest, size: 1000, files: 3, layers: [{ digest, size: 900 }] };
  return { state: present === undefined ? "built" : "adopted", image };
}

function digestOf(text: string): string {
  return `sha256:${createHash("sha256").update(text).digest("hex")}`;
}

/** Does it until it is done, or until what it is done to has gone. */
async function insist(work: () => Promise<unknown>): Promise<void> {
  await eventually("a kubelet's answer", async () => {
    try {
      await work();
    } catch (error) {
      if (!(error as Error).message.includes("NotFound")) throw error;
    }
    return true;
  });
}
