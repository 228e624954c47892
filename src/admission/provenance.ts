import { LABELS, VERSION_ANNOTATIONS } from "../api/annotations.ts";
import type { ModelVersion } from "../api/modelversion.ts";
import type { Cause } from "../api/review.ts";

/** Annotations that only the controller may set: they say which job a version comes from. */
const PROVENANCE: readonly string[] = [
  VERSION_ANNOTATIONS.jobUid,
  VERSION_ANNOTATIONS.jobKind,
  VERSION_ANNOTATIONS.jobName,
  VERSION_ANNOTATIONS.pod,
  VERSION_ANNOTATIONS.node,
  VERSION_ANNOTATIONS.trainingImage,
  VERSION_ANNOTATIONS.startedAt,
  VERSION_ANNOTATIONS.completedAt,
];

/** Every annotation and label of a job that somebody other than the controller sets, changes or removes. */
export function validateProvenance(
  version: ModelVersion,
  old: ModelVersion | undefined,
): readonly Cause[] {
  const before = old?.metadata.annotations ?? {};
  const after = version.metadata.annotations ?? {};
  const forged = PROVENANCE.filter((key) => before[key] !== after[key]).map((key) =>
    fault(`metadata.annotations[${key}]`),
  );
  const jobUidBefore = old?.metadata.labels?.[LABELS.jobUid];
  if (version.metadata.labels?.[LABELS.jobUid] === jobUidBefore) return forged;
  return [...forged, fault(`metadata.labels[${LABELS.jobUid}]`)];
}

function fault(field: string): Cause {
  const message = "says which job a version comes from; only modelhook sets it";
  return { rule: "Provenance", field, message };
}
