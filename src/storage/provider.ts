import type { PersistentVolume, PersistentVolumeClaim } from "../api/kube-types.ts";
import type { Cause } from "../api/review.ts";

/** What the administrator allows the namespace at hand. */
export interface StorageLimits {
  /** Directories on nodes below which local storage may lie; none by default. */
  readonly localPrefixes: readonly string[];
  /** NFS servers that may be used; `*` is every one, none by default. */
  readonly nfsServers: readonly string[];
  /** EFS file systems (`fs-…`) that may be used; `*` is every one, none by default. */
  readonly efsFileSystems: readonly string[];
  /** Volume attributes that EFS storage may set; `*` is every one. */
  readonly efsAttributes: readonly string[];
}

/** What a volume is made for. */
export interface VolumeRequest {
  /** Name of the volume and its claim. */
  readonly name: string;
  readonly namespace: string;
  /** Labels of both. */
  readonly labels: Readonly<Record<string, string>>;
  /** Prefixes that the namespace may use. */
  readonly limits: StorageLimits;
  /** Value of the label kubernetes.io/hostname on the node of local storage. */
  readonly hostname?: string | undefined;
}

/** How a pod reaches a storage: the claim to mount, the directory in it, and what has to be made first. */
export interface VolumePlan {
  readonly claimName: string;
  /** Directory inside the claim, absent for its root. */
  readonly subPath?: string;
  /** To be made by the controller; absent when the claim is the user's. */
  readonly make?: { readonly volume: PersistentVolume; readonly claim: PersistentVolumeClaim };
}

/** One way to store a model. */
export interface StorageProvider<S> {
  /** What is wrong with the storage; `field` is its JSON path. */
  validate(storage: S, field: string, limits: StorageLimits): readonly Cause[];
  /** Where it is, as text: equal for two storages exactly when they share one directory. */
  location(storage: S, namespace: string): string;
  /** Objects and mount for a pod that reads or writes it. */
  plan(storage: S, request: VolumeRequest): VolumePlan;
  /** The directory `name` directly below it. */
  below(storage: S, name: string): S;
  /** True when pods on several nodes can write at once. */
  readonly sharedWriters: boolean;
  /** True when the kubelet makes a directory that is not there yet. */
  readonly makesDirectories: boolean;
  /** Node that its pods must run on, if only one will do. */
  nodeName(storage: S): string | undefined;
}
