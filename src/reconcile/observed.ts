import { canonicalImage, parseImageRef } from "../api/image-ref.ts";
import type { Job, PersistentVolume, PersistentVolumeClaim, Pod } from "../api/kube-types.ts";
import type { Model } from "../api/model.ts";
import type { Engine, ModelVersion } from "../api/modelversion.ts";
import { buildVolumeName, defaultImageTag } from "../api/names.ts";
import { storedSpec } from "../api/stored-spec.ts";
import type { BuildSettings, ObservedEvent } from "../builder/builder.ts";
import type { StorageLimits } from "../storage/provider.ts";
import { versionStorage } from "./modelversion-spec.ts";

/** What the administrator allows the namespace of a version that is to be built. */
interface BuildLimits extends StorageLimits {
  /** Registries, or repositories in them, that may be pushed to; `*` is every one. */
  readonly registries: readonly string[];
  readonly engines: readonly Engine[];
}

/** Everything that is known of a ModelVersion when it is reconciled. */
export interface ModelVersionObserved {
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly version: ModelVersion;
  readonly settings: BuildSettings;
  /** What the administrator allows the version's namespace. */
  readonly limits: BuildLimits;
  /** The label kubernetes.io/hostname of the node that `references` names; absent when there is no such node, or nothing is to be built. */
  readonly hostname?: string;
  /** The claim that `references` names; absent when there is none, or it is a user's and nothing is to be built. */
  readonly claim?: PersistentVolumeClaim;
  /** The volume that `references` names, absent when there is none. */
  readonly volume?: PersistentVolume;
  /** Jobs of the namespace with the label `versionUid` of this version, in any order. */
  readonly jobs: readonly Job[];
  /** Pods of the namespace with that label, newest first. */
  readonly pods: readonly Pod[];
  /** Events of the Job that `status.builderJob` names and of its newest pod, by their UIDs, oldest first. */
  readonly events: readonly ObservedEvent[];
  /** Other versions, of any namespace, with the `location` or the `image` that `references` names. */
  readonly rivals: readonly ModelVersion[];
  /** A job that may write to that location now, the version's own aside, by a name for people; absent when there is none. */
  readonly writer?: string;
  /** The Model that the version names, absent when there is none. */
  readonly model?: Model;
}

/** Everything that is known of a Model when it is reconciled. */
export interface ModelObserved {
  readonly now: number;
  readonly model: Model;
  /** Versions of the namespace that name the model, in any order. */
  readonly versions: readonly ModelVersion[];
  /** Versions of the namespace that the model's aliases name, of whatever model they are. */
  readonly aliased: readonly ModelVersion[];
}

/** What has to be looked up for a version before it is reconciled; the keys of indexes, too. */
export interface ModelVersionReferences {
  /** Where the model lies, equal for versions that share one directory; absent when the storage is not valid. */
  readonly location?: string;
  /** `repository:tag` that the version has, or gets when it starts; as `canonicalImage` writes it; absent when it names no repository. */
  readonly image?: string;
  /** Claim in the version's namespace. */
  readonly claimName?: string;
  /** PersistentVolume that we make; absent when the claim is the user's. */
  readonly volumeName?: string;
  /** Node that has the data, if only one has. */
  readonly nodeName?: string;
}

/** What has to be looked up for a version. */
export function references(version: ModelVersion): ModelVersionReferences {
  const { uid = "", namespace = "" } = version.metadata;
  const spec = storedSpec(version);
  const storage = versionStorage(version);
  const name = imageOf(version);
  const image = name === undefined ? {} : { image: canonicalImage(name) };
  if (storage === undefined) return image;
  const userClaim = spec.storage?.persistentVolumeClaim?.claimName;
  const ours = buildVolumeName(uid);
  return {
    location: storage.location(namespace),
    ...image,
    ...(userClaim === undefined ? { claimName: ours, volumeName: ours } : { claimName: userClaim }),
    ...(storage.nodeName === undefined ? {} : { nodeName: storage.nodeName }),
  };
}

/** `repository:tag` of a version: as recorded when it started, else as it will be; undefined when it names no repository. */
export function imageOf(version: ModelVersion): string | undefined {
  const { metadata, status } = version;
  if (status?.image !== undefined) return status.image;
  const { imageRepo, imageTag = defaultImageTag(metadata.uid ?? "") } = storedSpec(version);
  return imageRepo === undefined ? undefined : `${imageRepo}:${imageTag}`;
}

/** The tag of such an image; undefined when it is none that could be pushed. */
export function tagOf(image: string): string | undefined {
  return parseImageRef(image)?.tag;
}
