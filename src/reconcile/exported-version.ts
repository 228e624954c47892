import { FINALIZERS } from "../api/annotations.ts";
import { withoutFinalizer } from "../api/finalizer.ts";
import type { KubeObject } from "../api/kube-types.ts";
import type { ModelVersion } from "../api/modelversion.ts";
import { refOf, type Action } from "./action.ts";
import { isHeld } from "./exporting-job.ts";

/** A version with the finalizer that it was exported with. */
export interface ExportedVersionObserved {
  readonly version: ModelVersion;
  /** The job that it was exported from; undefined when that is gone. */
  readonly job: KubeObject | undefined;
}

/**
 * Lets a version go once its job is let go. Until then it can be deleted, but stays to be seen: a job that has succeeded and has
 * no version would be exported, so a version that went between the two would come again.
 */
export function reconcileExportedVersion({
  version,
  job,
}: ExportedVersionObserved): readonly Action[] {
  if (job !== undefined && isHeld(job)) return [];
  const operations = withoutFinalizer(version, FINALIZERS.export);
  return operations.length === 0 ? [] : [{ type: "patch", ref: refOf(version), operations }];
}
