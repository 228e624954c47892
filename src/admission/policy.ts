import { own } from "../api/fields.ts";
import type { ResourceRequirements } from "../api/kube-types.ts";
import type { Engine } from "../api/modelversion.ts";
import type { JobKind } from "../jobs/job-kind.ts";
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
  /** Volume attributes that EFS storage may set; `*` is every one. */
  readonly efsAttributes: readonly string[];
  /** Registries, or repositories in them, that a namespace may push to; `*` as key is every namespace that is not named, in a list every registry. */
  readonly registries: Readonly<Record<string, readonly string[]>>;
  /** Engines that may build. */
  readonly engines: readonly Engine[];
  /** Images that models may be put on: the administrator's own first. */
  readonly baseImages: readonly string[];
  /** Most that a build may request, and its limit where it names none; no ceiling for what is absent. */
  readonly maxResources: Readonly<Record<string, string>>;
  /** Kinds of jobs that export: the table's, and those that the administrator added. */
  readonly jobKinds: readonly JobKind[];
  /** Resources of the loader container where the pod asks for none. */
  readonly loaderResources: ResourceRequirements;
}

/** What the spec of a version may name. */
export interface VersionLimits extends StorageLimits {
  /** Registries, or repositories in them, that may be pushed to; `*` is every one. */
  readonly registries: readonly string[];
  readonly engines: readonly Engine[];
  /** Images that models may be put on. */
  readonly baseImages: readonly string[];
  /** Most that a build may request, by resource. */
  readonly maxResources: Readonly<Record<string, string>>;
}

/** The limits of one namespace. */
export function limitsOf(
  { localPrefixes, registries, ...shared }: Omit<Policy, "systemNamespace" | "controllerUser">,
  namespace: string,
): VersionLimits {
  const { nfsServers, efsFileSystems, efsAttributes, engines, baseImages, maxResources } = shared;
  return {
    localPrefixes: ofNamespace(localPrefixes, namespace),
    nfsServers,
    efsFileSystems,
    efsAttributes,
    registries: ofNamespace(registries, namespace),
    engines,
    baseImages,
    maxResources,
  };
}

/** The list of a namespace, or that of all which have none of their own. */
function ofNamespace(
  lists: Readonly<Record<string, readonly string[]>>,
  namespace: string,
): readonly string[] {
  return own(lists, namespace) ?? lists["*"] ?? [];
}
