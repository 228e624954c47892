import { ANNOTATIONS, DEFAULT_MOUNT_PATH, type ExportIntent } from "../api/annotations.ts";
import { cleanMountPath } from "../api/path.ts";
import type { Cause } from "../api/review.ts";
import { storageOf } from "../storage/bound.ts";
import type { VersionLimits } from "./policy.ts";
import { validateVersionSpec } from "./version-spec.ts";

/** Every fault of an export annotation at `path`, such as `metadata.annotations`; the same rules as for a ModelVersion. */
export function validateExport(
  intent: ExportIntent,
  path: string,
  limits: VersionLimits,
): readonly Cause[] {
  const field = `${path}[${ANNOTATIONS.export}]`;
  const causes = validateVersionSpec(intent, field, limits);
  const bound = storageOf(intent.storage);
  if (intent.writers !== "all" || bound === undefined || bound.sharedWriters) return causes;
  const message = `"all" is not allowed with ${bound.type}, which has room for one writer; use nfs, AWSEfs or a ReadWriteMany claim`;
  return [...causes, { field: `${field}.writers`, message }];
}

/** Where the containers of an exporting pod see the storage. */
export function exportMountPath(intent: ExportIntent): string {
  const path = storageOf(intent.storage)?.mountPath;
  return (path === undefined ? undefined : cleanMountPath(path)) ?? DEFAULT_MOUNT_PATH;
}
