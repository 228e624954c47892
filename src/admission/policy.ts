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
  /** NFS servers that may be used; `*` is every one. */
  readonly nfsServers: readonly string[];
  /** EFS file systems that may be used; `*` is every one. */
  readonly efsFileSystems: readonly string[];
  /** Images that models may be put on: the administrator's own first. */
  readonly baseImages: readonly string[];
  /** Resources of the loader container where the pod asks for none. */
  readonly loaderResources: ResourceRequirements;
}

/** What the spec of a version may name. */
export interface VersionLimits extends StorageLimits {
  /** Images that models may be put on. */
  readonly baseImages: readonly string[];
}

/** The limits of one namespace. */
export function limitsOf(
  policy: Pick<Policy, "localPrefixes" | "nfsServers" | "efsFileSystems" | "baseImages">,
  namespace: string,
): VersionLimits {
  const { localPrefixes, nfsServers, efsFileSystems, baseImages } = policy;
  // A namespace may be called "constructor".
  const own = Object.hasOwn(localPrefixes, namespace) ? localPrefixes[namespace] : undefined;
  return {
    localPrefixes: own ?? localPrefixes["*"] ?? [],
    nfsServers,
    efsFileSystems,
    baseImages,
  };
}
