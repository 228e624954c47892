import { STORAGE_TYPES, type Storage } from "../api/storage.ts";
import type { Cause } from "../api/review.ts";
import { claimProvider } from "./claim.ts";
import { efsProvider } from "./efs.ts";
import { localProvider } from "./local.ts";
import { nfsProvider } from "./nfs.ts";
import type { StorageLimits, StorageProvider, VolumePlan, VolumeRequest } from "./provider.ts";

/** A storage bound to the provider of its type. */
export interface BoundStorage {
  readonly type: keyof Storage;
  readonly mountPath: string | undefined;
  readonly sharedWriters: boolean;
  readonly makesDirectories: boolean;
  readonly nodeName: string | undefined;
  validate(field: string, limits: StorageLimits): readonly Cause[];
  location(namespace: string): string;
  plan(request: VolumeRequest): VolumePlan;
  below(name: string): Storage;
}

/** The one storage that is set; undefined when none or several are. */
export function storageOf(storage: Storage | undefined): BoundStorage | undefined {
  const set = storageTypes(storage);
  if (storage === undefined || set.length !== 1) return undefined;
  if (storage.localStorage) return bind("localStorage", storage.localStorage, localProvider);
  if (storage.nfs) return bind("nfs", storage.nfs, nfsProvider);
  if (storage.AWSEfs) return bind("AWSEfs", storage.AWSEfs, efsProvider);
  if (storage.persistentVolumeClaim) {
    return bind("persistentVolumeClaim", storage.persistentVolumeClaim, claimProvider);
  }
  return undefined;
}

/** The storage types that are set, in the order of the schema. */
export function storageTypes(storage: Storage | undefined): readonly (keyof Storage)[] {
  return STORAGE_TYPES.filter((type) => storage?.[type] !== undefined && storage[type] !== null);
}

function bind<S extends { mountPath?: string | undefined }>(
  type: keyof Storage,
  storage: S,
  provider: StorageProvider<S>,
): BoundStorage {
  return {
    type,
    mountPath: storage.mountPath,
    sharedWriters: provider.sharedWriters,
    makesDirectories: provider.makesDirectories,
    nodeName: provider.nodeName(storage),
    validate: (field, limits) => provider.validate(storage, `${field}.${type}`, limits),
    location: (namespace) => provider.location(storage, namespace),
    plan: (request) => provider.plan(storage, request),
    below: (name) => ({ [type]: provider.below(storage, name) }),
  };
}
