import type { Node, Pod } from "../api/kube-types.ts";
import { selectorText } from "../api/label-selector.ts";
import type { ModelBinding } from "../api/modelbinding.ts";
import type { ApiServer } from "../kube/client.ts";
import { listPages } from "../kube/list.ts";
import { resources } from "../kube/resources.ts";
import type { Store } from "../kube/store.ts";
import { wantedByBinding, type BindingObserved } from "../reconcile/binding.ts";
import { isInjectionEnabled } from "./admission-stores.ts";
import type { Sources } from "./exporting.ts";
import { lookUp } from "./serving.ts";

/** What is known of a binding, of its model, and of the pods that it selects. */
export async function observeBinding(
  { api, stores, limits, now }: Sources,
  binding: ModelBinding,
  signal: AbortSignal,
): Promise<BindingObserved> {
  const { namespace = "" } = binding.metadata;
  const wanted = wantedByBinding(binding);
  const pods: Pod[] = [];
  if (wanted !== undefined || binding.spec?.export !== undefined) {
    const labelSelector = selectorText(binding.spec.selector);
    const pages = runningPods(api, stores.nodes, { namespace, labelSelector, signal });
    for await (const page of pages) for (const pod of page) pods.push(pod);
  }
  return {
    now: now(),
    binding,
    bindings: stores.bindings.by("namespace", namespace),
    injectionEnabled: isInjectionEnabled(stores, namespace),
    systemNamespace: limits().policy.systemNamespace,
    known: lookUp(stores, namespace, wanted === undefined ? [] : [wanted], []),
    pods,
  };
}

/** Metadata of running pods, a page at a time; without those on Windows, which can not be given a model. */
export async function* runningPods(
  api: ApiServer,
  nodes: Pick<Store<Node>, "list">,
  options: {
    readonly namespace?: string;
    readonly labelSelector?: string;
    readonly signal: AbortSignal;
  },
): AsyncGenerator<readonly Pod[], void> {
  // Metadata does not tell what a pod runs on; the nodes of those that run do.
  const windows = nodes
    .list()
    .filter(({ status }) => status?.nodeInfo?.operatingSystem === "windows")
    .map(({ metadata }) => `spec.nodeName!=${metadata?.name}`);
  const fieldSelector = ["status.phase=Running", ...windows].join(",");
  const pages = listPages<Pod>(api, resources.pods, {
    ...options,
    fieldSelector,
    metadataOnly: true,
    pick: withoutManagers,
  });
  for await (const { items } of pages) yield items;
}

/** Who wrote which field is a third of a pod's metadata. */
function withoutManagers({ metadata, ...pod }: Pod): Pod {
  const { managedFields: _, ...kept } = metadata ?? {};
  return { ...pod, metadata: kept };
}
