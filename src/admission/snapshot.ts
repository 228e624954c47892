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
}

/** What a review refers to; gathered before the decision. */
export interface References {
  readonly namespace: string;
  readonly versions: readonly string[];
}
