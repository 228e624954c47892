import type { Workload } from "./places.ts";

/** Something that a job's object shows: a condition with status True, or a field with one of these values. */
export type Sign =
  | { readonly condition: string }
  | { readonly path: string; readonly values: readonly string[] };

/** How a job's object shows that it has ended. What shows neither goes on. */
export interface OutcomeRule {
  /** All of these are there once it has succeeded; looked at first. */
  readonly succeeded: readonly Sign[];
  /** One of these is there once it has failed for good. */
  readonly failed: readonly Sign[];
}

/**
 * Which pod writes the model when one writes. Keys are those of labels or annotations of pods; an index that a pod does not have
 * counts as 0.
 */
export type WriterRule =
  /** The pod of index 0. */
  | { readonly by: "index"; readonly index: string }
  /** The one pod with these labels. */
  | {
      readonly by: "labels";
      readonly name: string;
      readonly labels: Readonly<Record<string, string>>;
      /** Path of its template, where the job has one for it. */
      readonly template?: string;
    }
  /** Of the replica types that the job has, and whose template asks where some do, the first of the list, in lower case; its pod of index 0. */
  | {
      readonly by: "replica-type";
      /** Path of the map from replica types to their templates. */
      readonly replicas: string;
      readonly types: readonly string[];
      readonly type: string;
      readonly index: string;
    }
  /** Of the items of a list the one that the job itself chooses, else one of these names, else the first whose template asks; its pod whose indexes are all 0. */
  | {
      readonly by: "item";
      readonly list: string;
      /** Path of the pod template in an item. */
      readonly template: string;
      readonly chosen?: string;
      readonly names: readonly string[];
      readonly name: string;
      readonly indexes: readonly string[];
    };

/** A kind of job whose success turns the model that it wrote into a ModelVersion: one row of the table, or of the administrator's. */
export interface JobKind extends Workload {
  readonly outcome: OutcomeRule;
  readonly writer: WriterRule;
  /** True where the pod that writes goes on after the success of its job, such as the head of a cluster that is kept. */
  readonly writerStays?: boolean;
  /** Path of the number of pods, where the templates do not show it. */
  readonly size?: string;
  /** Path of annotations that its controller copies to what it makes, where it has no templates of its own. */
  readonly passesOn?: string;
  /** Paths of RFC 3339 times; `status.startTime` and `status.completionTime` where absent. */
  readonly times?: { readonly started?: string; readonly completed?: string };
}
