import { LABELS } from "../api/annotations.ts";
import type { Pod } from "../api/kube-types.ts";

/** Namespace of the control plane; its pods are never touched. */
const KUBE_SYSTEM = "kube-system";

/** Annotation of a pod that the kubelet runs from a file. */
const MIRROR = "kubernetes.io/config.mirror";

/** True in the namespaces whose pods are none of our business: the control plane's, and the one that modelhook runs in. */
export function isForeignNamespace(namespace: string, systemNamespace: string): boolean {
  return namespace === KUBE_SYSTEM || namespace === systemNamespace;
}

/** True for a pod that is left as it is, whatever it or a binding asks for. */
export function isNeverTouched(
  namespace: string,
  { metadata }: Pick<Pod, "metadata">,
  systemNamespace: string,
): boolean {
  return (
    isForeignNamespace(namespace, systemNamespace) ||
    metadata?.annotations?.[MIRROR] !== undefined ||
    // The labels of build pods and of those that ask registries; a user's pod gains nothing by wearing it.
    metadata?.labels?.[LABELS.versionUid] !== undefined ||
    metadata?.labels?.[LABELS.preflight] !== undefined
  );
}
