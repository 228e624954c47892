import type { Pod } from "../api/kube-types.ts";
import type { ModelBinding } from "../api/modelbinding.ts";
import type { ModelVersion } from "../api/modelversion.ts";
import type { Policy } from "./policy.ts";

/** Everything that a decision may read besides the review itself. */
export interface Snapshot {
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly policy: Policy;
  /** Whether a KubeDL that runs builds what is applied now; false while that is not known. */
  readonly standby: boolean;
  /** The versions that the review refers to, by name in the review's namespace; absent when there is none. */
  readonly versions: Readonly<Record<string, ModelVersion>>;
  /** Names of the namespace's versions, to suggest one for a misspelt name. */
  readonly versionNames: readonly string[];
  /** Other versions, of any namespace, that have or are to get the image which the reviewed version names. */
  readonly imageRivals: readonly ModelVersion[];
  /** The other bindings of the namespace, when a ModelBinding is reviewed. */
  readonly bindings: readonly ModelBinding[];
  /** What the reviewed version names and does not exist; what could not be looked for in time counts as there. */
  readonly missing: { readonly claim?: string; readonly node?: string };
  /** Names of all versions of the Model that the review is about; absent when it is about none. */
  readonly versionsOfModel?: readonly string[];
  /** Who uses versions of the namespace, when one is to be deleted; absent when that could not be read. */
  readonly use?: VersionUse;
}

/** What tells whether a version may be deleted. */
export interface VersionUse {
  /** The namespace is being deleted, and all in it. */
  readonly namespaceEnds: boolean;
  /** The namespace's pods that the webhook gave a model. */
  readonly pods: readonly Pod[];
}

/** What a review refers to; gathered before the decision. */
export interface References {
  readonly namespace: string;
  readonly versions: readonly string[];
  /** `repository:tag` of a reviewed version, as `canonicalImage` writes it. */
  readonly image?: string;
  /** Claim of the namespace, or node, that a reviewed version names. */
  readonly claim?: string;
  readonly node?: string;
  /** True when the bindings of the namespace are to be read. */
  readonly bindings?: boolean;
  /** The Model whose versions' names are read. */
  readonly model?: string;
  /** True when it is read who uses versions of the namespace. */
  readonly use?: boolean;
}
