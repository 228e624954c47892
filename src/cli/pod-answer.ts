import type { Decision } from "../admission/decision.ts";
import { decidePod } from "../admission/pod.ts";
import { isAsking } from "../api/annotations.ts";
import type { KubeObject, OwnerReference, Pod } from "../api/kube-types.ts";
import { boundBy } from "../inject/bound.ts";
import type { Found } from "../jobs/templates.ts";
import type { Workload } from "../jobs/places.ts";
import { shapeFault } from "../webhook/shape.ts";
import { decodedPod } from "./decoded-pod.ts";
import { bindingsIn, isInjectionEnabled, snapshotIn, type World } from "./world.ts";

/** Where pods are decided on. */
export interface PodContext {
  readonly world: World;
  readonly namespace: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** What the webhook would answer for a pod. */
export type PodAnswer =
  /** It is not asked: neither the pod nor a binding wants anything. */
  | { readonly state: "silent" }
  /** No API server would take the pod; the fault begins with the field. */
  | { readonly state: "broken"; readonly fault: string }
  | {
      readonly state: "decided";
      readonly decision: Decision;
      /** True when names in the patch are made from the UID of an owner that is not made yet. */
      readonly isExample: boolean;
    };

/** UIDs of owners that are not made yet: any will do, and two tell what depends on it. */
const SOME_UID = "00000000-0000-0000-0000-000000000000";
const OTHER_UID = "ffffffff-ffff-ffff-ffff-ffffffffffff";

/** Answers for a pod as somebody creates it; `owners` stand above it, the nearest first. */
export function answerPod(pod: Pod, owners: readonly KubeObject[], context: PodContext): PodAnswer {
  if (!asks(pod, context)) return { state: "silent" };
  const { world, namespace, now } = context;
  const decoded = decodedPod(pod);
  const fault = shapeOf({ group: "", version: "v1", kind: "Pod" }, decoded);
  if (fault !== undefined) return { state: "broken", fault };
  const snapshot = { ...snapshotIn(world, namespace, decoded, now), owners };
  return { state: "decided", decision: decidePod(namespace, decoded, snapshot), isExample: false };
}

/** Answers for the pod that a controller makes from a template. */
export function answerMadePod(
  template: Found["value"],
  owners: readonly KubeObject[],
  context: PodContext,
): PodAnswer {
  const answer = (some: string): PodAnswer => {
    const { metadata, spec }: Pod = template;
    const made = owners.map((each) => withUid(each, some));
    return answerPod(
      {
        metadata: { ...metadata, ownerReferences: made.slice(0, 1).map(controllerReference) },
        ...(spec && { spec }),
      },
      made,
      context,
    );
  };
  const uid = owners.at(-1)?.metadata?.uid;
  const first = answer(uid ?? SOME_UID);
  const isHooked = first.state === "decided" && first.decision.reason === "ExportHooked";
  if (uid !== undefined || !isHooked) return first;
  const isExample = JSON.stringify(first) !== JSON.stringify(answer(OTHER_UID));
  return { ...first, isExample };
}

/** What is wrong with the types in an object that is created, from its field on; undefined for one that can be decided on. */
export function shapeOf(
  { group, version, kind }: Pick<Workload, "group" | "version" | "kind">,
  object: KubeObject,
): string | undefined {
  // The API server takes none either; an object that has no such key may get it.
  if ((object.metadata as unknown) === null) return "metadata is missing";
  const request = {
    uid: "",
    kind: { group, version, kind },
    operation: "CREATE",
    userInfo: {},
    object: { metadata: {}, ...object },
  } as const;
  return shapeFault(request)?.replace(/^request\.object\.?/, "");
}

/** How what an object makes names it as its controller. */
export function controllerReference({
  apiVersion = "",
  kind = "",
  metadata,
}: KubeObject): OwnerReference {
  return {
    apiVersion,
    kind,
    name: metadata?.name ?? "",
    uid: metadata?.uid ?? "",
    controller: true,
  };
}

function withUid(object: KubeObject, uid: string): KubeObject {
  return object.metadata?.uid === undefined
    ? { ...object, metadata: { ...object.metadata, uid } }
    : object;
}

/** Nothing is said of a pod that wants nothing, whatever else it may be. */
function asks({ metadata }: Pod, { world, namespace }: PodContext): boolean {
  const { annotations, labels } = metadata ?? {};
  if (Object.keys(annotations ?? {}).some(isAsking)) return true;
  const bindings = isInjectionEnabled(world, namespace) ? bindingsIn(world, namespace) : [];
  return boundBy(bindings, labels) !== undefined;
}
