import type { Decision } from "../admission/decision.ts";
import { decidePod } from "../admission/pod.ts";
import { isAsking } from "../api/annotations.ts";
import type { KubeObject, Pod } from "../api/kube-types.ts";
import { boundServe } from "../inject/bound-serve.ts";
import type { Found } from "../jobs/templates.ts";
import type { Controller } from "../jobs/workloads.ts";
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

/** Answers for a pod as somebody creates it. */
export function answerPod(pod: Pod, context: PodContext): PodAnswer {
  if (!asks(pod, context)) return { state: "silent" };
  const { world, namespace, now } = context;
  const decoded = decodedPod(pod);
  const fault = shapeOf("", "Pod", decoded);
  if (fault !== undefined) return { state: "broken", fault };
  const snapshot = snapshotIn(world, namespace, decoded, now);
  return { state: "decided", decision: decidePod(namespace, decoded, snapshot), isExample: false };
}

/** Answers for the pod that a controller makes from a template. */
export function answerMadePod(
  template: Found["value"],
  owner: Controller & { readonly uid?: string | undefined },
  context: PodContext,
): PodAnswer {
  const answer = (uid: string): PodAnswer => {
    const { metadata, spec }: Pod = template;
    const ownerReferences = [{ ...owner, name: "", uid, controller: true }];
    return answerPod(
      { metadata: { ...metadata, ownerReferences }, ...(spec && { spec }) },
      context,
    );
  };
  const { uid } = owner;
  const first = answer(uid ?? SOME_UID);
  const isHooked = first.state === "decided" && first.decision.reason === "ExportHooked";
  if (uid !== undefined || !isHooked) return first;
  const isExample = JSON.stringify(first) !== JSON.stringify(answer(OTHER_UID));
  return { ...first, isExample };
}

/** What is wrong with the types in an object that is created, from its field on; undefined for one that can be decided on. */
export function shapeOf(group: "" | "batch", kind: string, object: KubeObject): string | undefined {
  const request = {
    uid: "",
    kind: { group, version: "v1", kind },
    operation: "CREATE",
    userInfo: {},
    object: { metadata: {}, ...object },
  } as const;
  return shapeFault(request)?.replace(/^request\.object\.?/, "");
}

/** Nothing is said of a pod that wants nothing, whatever else it may be. */
function asks({ metadata }: Pod, { world, namespace }: PodContext): boolean {
  const { annotations, labels } = metadata ?? {};
  if (Object.keys(annotations ?? {}).some(isAsking)) return true;
  const bindings = isInjectionEnabled(world, namespace) ? bindingsIn(world, namespace) : [];
  return boundServe(bindings, labels) !== undefined;
}
