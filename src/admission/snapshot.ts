import type { KubeObject, Node, OwnerReference, Pod } from "../api/kube-types.ts";
import type { Model } from "../api/model.ts";
import type { ModelBinding } from "../api/modelbinding.ts";
import type { ModelVersion } from "../api/modelversion.ts";
import type { Wanted } from "../api/wanted.ts";
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
  /** The Models that pods of the review ask for, by name; absent when there is none. */
  readonly models: Readonly<Record<string, Model>>;
  /** Names of the namespace's Models, to suggest one. */
  readonly modelNames: readonly string[];
  /** Other versions, of any namespace, that have or are to get the image which the reviewed version names. */
  readonly imageRivals: readonly ModelVersion[];
  /** The other bindings of the namespace when a ModelBinding is reviewed; for a pod those in effect there. */
  readonly bindings: readonly ModelBinding[];
  /** Whether the namespace has the label that puts bindings into effect. */
  readonly injectionEnabled: boolean;
  /** What stands above a reviewed pod that exports, the nearest first; empty when that does not exist. */
  readonly owners?: readonly KubeObject[];
  /** Metadata of the pods that the reviewed pod's controller made from the same template and that have a model. */
  readonly siblings: readonly Pod[];
  /** All nodes, as far as it matters whether a pod can go there and what it would find; absent where they are not looked at. */
  readonly nodes?: readonly Node[] | undefined;
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
  /** What pods of the review ask for. */
  readonly wanted: readonly Wanted[];
  /** The reviewed pod's controller and template, as `templateKey` writes them; absent when its siblings do not matter. */
  readonly template?: string;
  /** The controller of a reviewed pod that exports; what stands above it is read, too. */
  readonly owner?: OwnerReference;
  /** `repository:tag` of a reviewed version, as `canonicalImage` writes it. */
  readonly image?: string;
  /** Claim of the namespace, or node, that a reviewed version names. */
  readonly claim?: string;
  readonly node?: string;
  /** True when all bindings of the namespace are to be read. */
  readonly bindings?: boolean;
  /** The Model whose versions' names are read. */
  readonly model?: string;
  /** True when it is read who uses versions of the namespace. */
  readonly use?: boolean;
}
