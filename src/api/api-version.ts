/** Group and version as objects carry them: `v1`, `batch/v1`. */
export function apiVersionOf({
  group,
  version,
}: {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
}): string {
  return group === "" ? version : `${group}/${version}`;
}
