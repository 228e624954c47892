import { setCondition, type Condition } from "../api/conditions.ts";
import type { ModelStatus } from "../api/model.ts";
import type { ModelVersion } from "../api/modelversion.ts";
import { refOf, type Action } from "./action.ts";
import { isEqual } from "./equal.ts";
import { imageOf, type ModelObserved } from "./observed.ts";
import { byAge } from "./order.ts";

/**
 * Points a Model to the newest of its versions that is built, by creation and name. That is forward only: an older version
 * that is built later is never the newest, and the pointer goes back only when the version it names goes.
 */
export function reconcileModel({ model, versions, now }: ModelObserved): readonly Action[] {
  if (model.metadata.deletionTimestamp !== undefined) return [];
  const latest = versions
    .filter((version) => isServed(version))
    .toSorted(byAge)
    .at(-1);
  const { latestVersion: _, ...kept } = model.status ?? {};
  const status: ModelStatus = {
    ...kept,
    ...(latest === undefined ? {} : { latestVersion: pointerTo(latest) }),
    conditions: [
      ...setCondition(kept.conditions, builtCondition(model.metadata.generation, latest), now),
    ],
  };
  if (isEqual(status, model.status)) return [];
  const { resourceVersion = "" } = model.metadata;
  return [{ type: "status", ref: refOf(model), resourceVersion, status }];
}

function isServed({ metadata, status }: ModelVersion): boolean {
  return (
    metadata.deletionTimestamp === undefined && status?.imageBuildPhase === "ImageBuildSucceeded"
  );
}

function pointerTo(version: ModelVersion): NonNullable<ModelStatus["latestVersion"]> {
  const digest = version.status?.digest;
  return {
    modelVersion: version.metadata.name ?? "",
    imageName: imageOf(version) ?? "",
    // A version that KubeDL built has none.
    ...(digest === undefined ? {} : { digest }),
  };
}

function builtCondition(
  observedGeneration: number | undefined,
  latest: ModelVersion | undefined,
): Omit<Condition, "lastTransitionTime"> {
  const type = "Built";
  return latest === undefined
    ? {
        type,
        status: "False",
        reason: "ModelNotBuilt",
        message: "no version is built",
        observedGeneration,
      }
    : {
        type,
        status: "True",
        reason: "BuildSucceeded",
        message: `${latest.metadata.name} is the newest version that is built`,
        observedGeneration,
      };
}
