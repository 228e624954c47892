import type { ResourceRequirements } from "../api/kube-types.ts";
import type { StorageLimits } from "../storage/provider.ts";

/** The administrator's limits and our own identity, as decisions read them. */
export interface Policy {
  /** Namespace that modelhook runs in; its pods are never touched. */
  readonly systemNamespace: string;
  /** User name of our ServiceAccount: the only one that may set provenance. */
  readonly controllerUser: string;
  /** Directories on nodes that a namespace may use; `*` is every namespace that is not named. */
  readonly localPrefixes: Readonly<Record<string, readonly string[]>>;
  /** Resources of the loader container where the pod asks for none. */
  readonly loaderResources: ResourceRequirements;
}

/** The storage limits of one namespace. */
export function limitsOf(policy: Pick<Policy, "localPrefixes">, namespace: string): StorageLimits {
  const { localPrefixes } = policy;
  // A namespace may be called "constructor".
  const own = Object.hasOwn(localPrefixes, namespace) ? localPrefixes[namespace] : undefined;
  return { localPrefixes: own ?? localPrefixes["*"] ?? [] };
}
