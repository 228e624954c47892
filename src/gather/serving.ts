import { ANNOTATIONS } from "../api/annotations.ts";
import type { KubeObject, Pod } from "../api/kube-types.ts";
import { candidates, type Known } from "../inject/resolution.ts";
import { STATUS_PATH } from "../inject/serving-status.ts";
import { wantedOf } from "../inject/waiting.ts";
import type { Wanted } from "../api/wanted.ts";
import { templateKey } from "../jobs/owner.ts";
import type { Store } from "../kube/store.ts";
import type { Action } from "../reconcile/action.ts";
import type { GatedPodObserved } from "../reconcile/serving-gate.ts";
import { differing, type AdmissionStores } from "./admission-stores.ts";
import type { Stores } from "./stores.ts";

/** Looks up what a gated pod waits for. */
export function observeGatedPod(stores: Stores, pod: Pod): GatedPodObserved {
  const { namespace = "" } = pod.metadata ?? {};
  const template = templateKey(namespace, pod);
  // What this process did a moment ago may not have come back by the watch.
  const lifted = template === undefined ? undefined : stores.lifted.holder(template);
  const siblings = [
    ...(template === undefined ? [] : differing(stores.served.by("template", template))),
    ...(lifted === undefined ? [] : [lifted]),
  ];
  return { pod, known: lookUp(stores, namespace, wantedOf(pod), siblings) };
}

/** Remembers what a pod gets by these actions, for those that its controller made from the same template. */
export function rememberLift(stores: Stores, pod: Pod, actions: readonly Action[]): void {
  const { namespace = "", annotations } = pod.metadata ?? {};
  const template = templateKey(namespace, pod);
  const status = actions
    .flatMap((action) => (action.type === "patch" ? action.operations : []))
    .find(({ path }) => path === STATUS_PATH);
  if (template === undefined || status === undefined || !("value" in status)) return;
  const changed = { ...annotations, [ANNOTATIONS.status]: String(status.value) };
  stores.lifted.give(template, { ...pod, metadata: { ...pod.metadata, annotations: changed } });
}

/** What the caches know of what is wanted in a namespace. */
export function lookUp(
  { models, versions }: Pick<AdmissionStores, "models" | "versions">,
  namespace: string,
  wanted: readonly Wanted[],
  siblings: readonly Pod[],
): Known {
  const named = wanted.flatMap((each) => ("model" in each ? [each.model] : []));
  const known = { models: found(models, namespace, named), siblings };
  const names = wanted.flatMap((each) => candidates(each, known));
  return { ...known, versions: found(versions, namespace, names) };
}

function found<T extends KubeObject>(
  store: Pick<Store<T>, "get">,
  namespace: string,
  names: readonly string[],
): Record<string, T> {
  const entries = names.flatMap((name) => {
    const object = store.get(namespace, name);
    return object === undefined ? [] : [[name, object] as const];
  });
  return Object.fromEntries(entries);
}
