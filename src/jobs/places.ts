/** Who makes the pods of a template: a batch/v1 Job that is itself made from a template, or the controller of this kind. */
type Maker =
  | {
      readonly makes: "jobs";
      /** What the kind's own webhook makes of a Job that names no completion mode. */
      readonly completionMode?: string;
    }
  | { readonly makes: "pods"; readonly owner: Controller | "itself" };

/** The controller that the pods of a template name as their owner. */
export interface Controller {
  readonly apiVersion: string;
  readonly kind: string;
}

/** Where a kind keeps templates: a JSON path in which `*` stands for every value of a map and every item of a list. */
export type TemplatePlace = Maker & { readonly path: string };

/** A kind of object whose pods others make, so that a denial of them is seen in events only. */
export interface Workload {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  /** Empty for a kind that takes its pods from elsewhere. */
  readonly places: readonly TemplatePlace[];
}

/** A batch/v1 Job as the controller of pods. */
export const JOB = { apiVersion: "batch/v1", kind: "Job" } as const;

/** The place of pod templates; their pods belong to the object itself unless another owner is given. */
export function pods(path: string, owner: Controller | "itself" = "itself"): TemplatePlace {
  return { path, makes: "pods", owner };
}
