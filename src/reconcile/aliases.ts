import type { Condition } from "../api/conditions.ts";
import { listed } from "../api/listed.ts";
import type { Model, ModelStatus } from "../api/model.ts";
import type { ModelVersion, ModelVersionSpec } from "../api/modelversion.ts";
import { isServed } from "./built.ts";
import { imageOf, type ModelObserved } from "./observed.ts";

/** Type of the condition that says whether all aliases name a version that can be served. */
export const ALIASES_RESOLVED = "AliasesResolved";

/** A message stays one that people read, and far below what a condition may hold. */
const MOST_NAMED = 10;

/** What becomes of a Model's aliases. */
export interface ResolvedAliases {
  /** Those whose version exists, is of this model and is built, by name; absent when there is none. */
  readonly aliases?: NonNullable<ModelStatus["aliases"]>;
  /** Absent for a Model that has no aliases. */
  readonly condition?: Omit<Condition, "lastTransitionTime">;
}

/** Looks up the aliases of a Model. */
export function resolveAliases({ model, aliased }: ModelObserved): ResolvedAliases {
  const byName = new Map(aliased.map((version) => [version.metadata.name, version]));
  const wanted = Object.entries(model.spec?.aliases ?? {})
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, target]) => ({ name, target, version: byName.get(target) }));
  if (wanted.length === 0) return {};
  const aliases = wanted.flatMap(({ name, version }) =>
    version === undefined || whyPending(version, model) !== undefined
      ? []
      : [pointer(name, version)],
  );
  const pending = wanted.flatMap(({ name, target, version }) => {
    const why = whyPending(version, model);
    return why === undefined ? [] : [`${name} waits for ModelVersion ${target}, which ${why}`];
  });
  return {
    ...(aliases.length === 0 ? {} : { aliases }),
    condition: condition(model.metadata.generation, pending),
  };
}

function pointer(name: string, version: ModelVersion) {
  const digest = version.status?.digest;
  return {
    name,
    modelVersion: version.metadata.name ?? "",
    image: imageOf(version) ?? "",
    ...(digest === undefined ? {} : { digest }),
  };
}

/** Why an alias does not lead to this version, in words that follow `which`; undefined when it does. */
function whyPending(version: ModelVersion | undefined, model: Model): string | undefined {
  if (version === undefined) return "does not exist";
  // Stored objects may have no spec: KubeDL does not require one.
  const modelName = (version.spec as Partial<ModelVersionSpec> | undefined)?.modelName;
  if (modelName !== model.metadata.name) return `is a version of model ${modelName ?? "none"}`;
  if (version.metadata.deletionTimestamp !== undefined) return "is being deleted";
  if (version.status?.imageBuildPhase === "ImageBuildFailed") return "could not be built";
  return isServed(version) ? undefined : "is not built yet";
}

function condition(
  observedGeneration: number | undefined,
  pending: readonly string[],
): NonNullable<ResolvedAliases["condition"]> {
  const type = ALIASES_RESOLVED;
  return pending.length === 0
    ? {
        type,
        status: "True",
        reason: "AliasesResolved",
        message: "every alias names a version that is built",
        observedGeneration,
      }
    : {
        type,
        status: "False",
        reason: "AliasPending",
        message: listed(pending, MOST_NAMED, "; "),
        observedGeneration,
      };
}
