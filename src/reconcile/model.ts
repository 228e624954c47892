import { setCondition, type Condition } from "../api/conditions.ts";
import type { ModelStatus } from "../api/model.ts";
import type { ModelVersion } from "../api/modelversion.ts";
import { refOf, type Action } from "./action.ts";
import { ALIASES_RESOLVED, resolveAliases } from "./aliases.ts";
import { servedByAge } from "./built.ts";
import { isEqual } from "./equal.ts";
import { imageOf, type ModelObserved } from "./observed.ts";

/**
 * Points a Model to the newest of its versions that is built, by creation and name. That is forward only: an older version
 * that is built later is never the newest, and the pointer goes back only when the version it names goes. Aliases point to
 * what they name once that is built.
 */
export function reconcileModel(observed: ModelObserved): readonly Action[] {
  const { model, versions, now } = observed;
  if (model.metadata.deletionTimestamp !== undefined) return [];
  const latest = servedByAge(versions).at(-1);
  const { aliases, condition } = resolveAliases(observed);
  const { latestVersion: _, aliases: __, ...kept } = model.status ?? {};
  // A Model without aliases says nothing of them.
  const others = (kept.conditions ?? []).filter(({ type }) => type !== ALIASES_RESOLVED);
  const built = builtCondition(model.metadata.generation, latest);
  const conditions =
    condition === undefined ? others : setCondition(kept.conditions, condition, now);
  const status: ModelStatus = {
    ...kept,
    ...(latest === undefined ? {} : { latestVersion: pointerTo(latest) }),
    ...(aliases === undefined ? {} : { aliases }),
    conditions: [...setCondition(conditions, built, now)],
  };
  if (isEqual(status, model.status)) return [];
  const { resourceVersion = "" } = model.metadata;
  return [{ type: "status", ref: refOf(model), resourceVersion, status }];
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
