import { ANNOTATIONS, DEFAULT_MOUNT_PATH, type ExportIntent } from "../api/annotations.ts";
import { NO_NEW_DIRECTORY, ONE_WRITER } from "../api/export.ts";
import { cleanMountPath } from "../api/path.ts";
import type { Cause } from "../api/review.ts";
import { storageOf, type BoundStorage } from "../storage/bound.ts";
import type { VersionLimits } from "./policy.ts";
import { validateVersionSpec } from "./version-spec.ts";

/** Every fault of an export annotation at `path`, such as `metadata.annotations`. */
export function validateExport(
  intent: ExportIntent,
  path: string,
  limits: VersionLimits,
): readonly Cause[] {
  return validateExportSpec(intent, `${path}[${ANNOTATIONS.export}]`, limits);
}

/** Every fault of what is to be exported, `field` its JSON path; the same rules as for a ModelVersion. */
export function validateExportSpec(
  intent: ExportIntent,
  field: string,
  limits: VersionLimits,
): readonly Cause[] {
  const causes = validateVersionSpec(intent, field, limits);
  const bound = storageOf(intent.storage);
  if (bound === undefined) return causes;
  return [
    ...causes,
    ...validateWriters(intent, bound, field),
    ...validateClean(intent, bound, field),
  ];
}

function validateWriters(
  { writers }: ExportIntent,
  { type, sharedWriters }: BoundStorage,
  field: string,
): readonly Cause[] {
  if (writers !== "all" || sharedWriters) return [];
  const message = `"all" is not allowed with ${type}, which ${ONE_WRITER}`;
  return [{ rule: "Writers", field: `${field}.writers`, message }];
}

/** The directory of a clean export is new, and a pod whose volume is not there never starts. */
function validateClean(
  { clean }: ExportIntent,
  { type, makesDirectories }: BoundStorage,
  field: string,
): readonly Cause[] {
  if (clean !== true || makesDirectories) return [];
  const message = `true is not allowed with ${type}, where ${NO_NEW_DIRECTORY}`;
  return [{ rule: "Clean", field: `${field}.clean`, message }];
}

/** Where the containers of an exporting pod see the storage. */
export function exportMountPath(intent: ExportIntent): string {
  const path = storageOf(intent.storage)?.mountPath;
  return (path === undefined ? undefined : cleanMountPath(path)) ?? DEFAULT_MOUNT_PATH;
}
