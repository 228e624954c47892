import { isBuilding, type ModelVersion } from "../api/modelversion.ts";
import { references, type ModelVersionObserved } from "./observed.ts";
import { byAge } from "./order.ts";

/** The version that the image belongs to, when that is another one. */
export function ownerOfImage({ version, rivals }: ModelVersionObserved): ModelVersion | undefined {
  return rivals.find((rival) => ownsImage(rival, version));
}

/** The version over the same location that is built before this one; the oldest of several. */
export function versionAhead({ version, rivals }: ModelVersionObserved): ModelVersion | undefined {
  return rivals.filter((rival) => isAhead(rival, version)).toSorted(byAge)[0];
}

/** A version that has the image, or is going to: it began, or it is the older of two that have not. */
function ownsImage(rival: ModelVersion, version: ModelVersion): boolean {
  const { image } = references(rival);
  if (!isRival(rival, version) || image === undefined || image !== references(version).image) {
    return false;
  }
  switch (rival.status?.imageBuildPhase) {
    case "ImageBuilding":
    case "ImageBuildSucceeded":
      return true;
    case "ImageBuildFailed":
      return false;
    case undefined:
      return byAge(rival, version) < 0;
  }
}

/** A version over the same location whose turn comes first; oldest first, so that no two wait for each other. */
function isAhead(rival: ModelVersion, version: ModelVersion): boolean {
  const { location } = references(version);
  return (
    isRival(rival, version) &&
    isBuilding(rival) &&
    references(rival).location === location &&
    byAge(rival, version) < 0
  );
}

function isRival({ metadata }: ModelVersion, version: ModelVersion): boolean {
  return metadata.uid !== version.metadata.uid && metadata.deletionTimestamp === undefined;
}
