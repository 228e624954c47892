import type { Pod } from "../api/kube-types.ts";
import type { ModelVersion } from "../api/modelversion.ts";
import type { Policy } from "./policy.ts";

/** Everything that a decision may read besides the review itself. */
export interface Snapshot {
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly policy: Policy;
  /** The versions that the review refers to, by name in the review's namespace; absent when there is none. */
  readonly versions: Readonly<Record<string, ModelVersion>>;
  /** Names of the namespace's versions, to suggest one for a misspelt name. */
  readonly versionNames: readonly string[];
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
  /** The Model whose versions' names are read. */
  readonly model?: string;
  /** True when it is read who uses versions of the namespace. */
  readonly use?: boolean;
}
