import { LABELS, PREFIX, VERSION_ANNOTATIONS } from "../api/annotations.ts";
import type { ModelVersion } from "../api/modelversion.ts";
import { nearest } from "../api/nearest.ts";
import type { Cause, Warning } from "../api/review.ts";

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

const KNOWN: readonly string[] = Object.values(VERSION_ANNOTATIONS);

/** Edits within which an unknown key counts as a misspelt one. */
const TYPO_DISTANCE = 2;

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

/** Annotations under our prefix that are new and mean nothing on a ModelVersion; who misspells `retry` waits for nothing. */
export function unknownAnnotations(
  version: ModelVersion,
  old: ModelVersion | undefined,
): readonly Warning[] {
  const before = old?.metadata.annotations ?? {};
  return Object.keys(version.metadata.annotations ?? {})
    .filter((key) => key.startsWith(PREFIX) && !KNOWN.includes(key) && !Object.hasOwn(before, key))
    .map((key) => {
      const meant = nearest(key, [VERSION_ANNOTATIONS.retry], TYPO_DISTANCE);
      const hint = meant === undefined ? "" : `; did you mean ${meant}?`;
      const message = `metadata.annotations[${key}]: is unknown on a ModelVersion and has no effect${hint}`;
      return { reason: "UnknownAnnotation", message };
    });
}

function fault(field: string): Cause {
  const message = "says which job a version comes from; only modelhook sets it";
  return { rule: "Provenance", field, message };
}
