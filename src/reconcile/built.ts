import type { ModelVersion } from "../api/modelversion.ts";
import { byAge } from "./order.ts";

/** True for a version that a Model may point to: built, and deleted by nobody. One that KubeDL built has no digest. */
export function isServed({ metadata, status }: ModelVersion): boolean {
  return (
    metadata.deletionTimestamp === undefined && status?.imageBuildPhase === "ImageBuildSucceeded"
  );
}

/** The versions that a Model may point to, oldest first. */
export function servedByAge(versions: readonly ModelVersion[]): readonly ModelVersion[] {
  return versions.filter((version) => isServed(version)).toSorted(byAge);
}
