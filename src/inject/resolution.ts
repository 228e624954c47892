import { own } from "../api/fields.ts";
import { pinned } from "../api/image-ref.ts";
import type { Pod } from "../api/kube-types.ts";
import type { Model } from "../api/model.ts";
import { builtDigest, type ModelVersion } from "../api/modelversion.ts";
import { modelNameOf, storedSpec } from "../api/stored-spec.ts";
import { isSameWanted, wantedText, type Wanted } from "../api/wanted.ts";
import { readStatus, WITHOUT_DIGEST } from "./serving-status.ts";

/** What is known of a namespace when models are looked up in it: all by name. */
export interface Known {
  readonly models: Readonly<Record<string, Model>>;
  readonly versions: Readonly<Record<string, ModelVersion>>;
  /** Pods of the same controller that the webhook gave a model, or a gate, before. */
  readonly siblings: readonly Pod[];
}

/** What a pod is to get, or why it gets nothing yet; messages begin with what they are about. */
export type Resolved =
  | {
      readonly state: "built";
      readonly version: ModelVersion;
      readonly name: string;
      readonly digest: string;
      /** The version that a pod of another controller would get; absent when it is the same. */
      readonly newer?: string;
    }
  | {
      readonly state: "waiting";
      readonly reason: "ModelNotFound" | "ModelNotBuilt" | "AliasPending";
      readonly message: string;
      /** The name that nobody has, for suggestions. */
      readonly unknown?: {
        readonly kind: "ModelVersion" | "Model" | "alias";
        readonly name: string;
      };
      /** The version that is waited for, where that is certain: its image, and its Secret, are known. */
      readonly version?: ModelVersion;
    }
  | { readonly state: "failed"; readonly message: string };

/** The image of a built version, by its digest; undefined for a stored version that names no repository. */
export function builtImage({
  version,
  digest,
}: Pick<Extract<Resolved, { state: "built" }>, "version" | "digest">): string | undefined {
  const { imageRepo } = storedSpec(version);
  return imageRepo === undefined ? undefined : pinned(imageRepo, digest);
}

/** Names of the versions that an answer may depend on; `versions` of what is known is not read. */
export function candidates(wanted: Wanted, known: Omit<Known, "versions">): readonly string[] {
  const target = "modelVersion" in wanted ? wanted.modelVersion : targetOf(wanted, known.models);
  return [...new Set([...siblingsVersions(wanted, known.siblings), ...(target ? [target] : [])])];
}

/**
 * Looks up what is wanted. Pods of one controller keep the version that the first of them got, for as long as one of them is
 * there: a ReplicaSet never mixes versions, and a Deployment meets a new one at its next rollout.
 */
export function resolve(wanted: Wanted, known: Known): Resolved {
  const current =
    "modelVersion" in wanted ? byName(wanted.modelVersion, known) : currentOf(wanted, known);
  for (const name of siblingsVersions(wanted, known.siblings)) {
    const version = own(known.versions, name);
    const digest = version === undefined ? undefined : builtDigest(version);
    if (version === undefined || digest === undefined || !isMeant(wanted, version)) continue;
    const newer = current.state === "built" && current.name !== name ? { newer: current.name } : {};
    return { state: "built", version, name, digest, ...newer };
  }
  return current;
}

/** The siblings' word is an annotation, which others can write: it counts for what could be meant only. */
function isMeant(wanted: Wanted, version: ModelVersion): boolean {
  return (
    wanted.boundAt !== undefined || !("model" in wanted) || modelNameOf(version) === wanted.model
  );
}

/** What a pod without siblings gets. */
function currentOf(wanted: Extract<Wanted, { model: string }>, known: Known): Resolved {
  const { model: name, alias } = wanted;
  const model = own(known.models, name);
  if (model === undefined) {
    return {
      state: "waiting",
      reason: "ModelNotFound",
      message: `Model ${name} does not exist`,
      unknown: { kind: "Model", name },
    };
  }
  const target = targetOf(wanted, known.models);
  if (target === undefined) {
    if (alias === undefined) {
      const message = `Model ${name} has no built version yet`;
      return { state: "waiting", reason: "ModelNotBuilt", message };
    }
    const message = `Model ${name} has no alias ${alias}`;
    const unknown = { kind: "alias", name: alias } as const;
    return { state: "waiting", reason: "AliasPending", message, unknown };
  }
  const version = own(known.versions, target);
  const what = `${wantedText(wanted)} is ModelVersion ${target}`;
  if (version === undefined) {
    const unknown = { kind: "ModelVersion", name: target } as const;
    const message = `${what}, which does not exist`;
    return { state: "waiting", reason: "ModelNotFound", message, unknown };
  }
  const of = modelNameOf(version);
  if (of !== name) {
    const message = `${what}, which is a version of ${of === undefined ? "no model" : `Model ${of}`}`;
    return { state: "waiting", reason: "AliasPending", message };
  }
  return byName(target, known);
}

function byName(name: string, { versions }: Known): Resolved {
  const version = own(versions, name);
  if (version === undefined) {
    return {
      state: "waiting",
      reason: "ModelNotFound",
      message: `ModelVersion ${name} does not exist`,
      unknown: { kind: "ModelVersion", name },
    };
  }
  const { imageBuildPhase, message } = version.status ?? {};
  if (imageBuildPhase === "ImageBuildFailed") {
    const why = message ?? "no reason given";
    return { state: "failed", message: `the build of ModelVersion ${name} failed: ${why}` };
  }
  const digest = builtDigest(version);
  if (digest !== undefined) return { state: "built", version, name, digest };
  const state = imageBuildPhase === "ImageBuildSucceeded" ? WITHOUT_DIGEST : "is not built yet";
  return {
    state: "waiting",
    reason: "ModelNotBuilt",
    message: `ModelVersion ${name} ${state}`,
    version,
  };
}

/** The version that an alias, or latest, is now: the alias by the spec, since its copy in the status comes later. */
function targetOf(
  { model: name, alias }: Extract<Wanted, { model: string }>,
  models: Known["models"],
): string | undefined {
  const model = own(models, name);
  return alias === undefined
    ? model?.status?.latestVersion?.modelVersion
    : own(model?.spec?.aliases ?? {}, alias);
}

/**
 * The versions that siblings got for the same words, or by a binding at the same place; the first is meant, the others are for when it
 * is gone. Whoever names a version by an annotation means it.
 */
function siblingsVersions(wanted: Wanted, siblings: readonly Pod[]): readonly string[] {
  const { boundAt } = wanted;
  if (boundAt === undefined && "modelVersion" in wanted) return [];
  const names = siblings.flatMap((pod) => {
    const status = readStatus(pod);
    if (status === undefined || (boundAt !== undefined && status.binding === undefined)) return [];
    return status.models.flatMap((each) => {
      const isIt =
        boundAt === undefined ? isSameWanted(each.wanted, wanted) : each.mountPath === boundAt;
      return isIt && each.digest !== undefined ? (each.modelVersion ?? []) : [];
    });
  });
  return [...new Set(names)];
}
