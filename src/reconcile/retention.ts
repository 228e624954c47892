import type { KubeObject, Pod } from "../api/kube-types.ts";
import type { Model } from "../api/model.ts";
import type { ModelBinding } from "../api/modelbinding.ts";
import { isBuilding, type ModelVersion } from "../api/modelversion.ts";
import { readIntent } from "../inject/intent.ts";
import { isAlive, servedModels } from "../inject/serving-status.ts";
import { JOB_KINDS, jobKind } from "../jobs/kinds.ts";
import { outcomeOf } from "../jobs/outcome.ts";
import { controllerOf } from "../jobs/owner.ts";
import { refOf, type Action } from "./action.ts";
import { servedByAge } from "./built.ts";
import { isRetried } from "./modelversion.ts";
import { byAge } from "./order.ts";

/** Pods and workloads are not all watched, so what kept a version is looked at again. */
const LOOK_AGAIN_MS = 600_000;

/** A workload of any kind that has a pod template, its own or that of its jobs. */
export interface Workload extends KubeObject {
  readonly spec?: TemplateOwner & { readonly jobTemplate?: { readonly spec?: TemplateOwner } };
}

interface TemplateOwner {
  readonly template?: Pick<KubeObject, "metadata">;
}

/** A Model, its versions, and who may refer to them. */
export interface RetentionObserved {
  readonly model: Model;
  /** Versions of the namespace that name the model, in any order. */
  readonly versions: readonly ModelVersion[];
  /** Everything of the namespace that may refer to a version; absent when no version is old enough to go. */
  readonly use?: {
    /** Pods that the webhook gave a model, or a gate to wait for it. */
    readonly pods: readonly Pod[];
    readonly workloads: readonly Workload[];
    readonly bindings: readonly ModelBinding[];
  };
}

/** Deletes the versions of a Model that are older than those it keeps and that nothing refers to. */
export function reconcileRetention({ model, versions, use }: RetentionObserved): readonly Action[] {
  const old = outlived(model, versions);
  if (old.length === 0 || use === undefined) return [];
  const named = new Set([
    ...use.pods.filter((pod) => isAlive(pod)).flatMap(versionsOfPod),
    ...use.workloads.filter((workload) => mayStartPods(workload)).flatMap(versionsOfTemplate),
    ...use.bindings.map(({ spec }) => spec?.serve?.modelVersion),
  ]);
  const retired = old.filter(({ metadata }) => !named.has(metadata.name));
  return [
    ...retired.flatMap((version) => retire(model, version)),
    { type: "requeueAfter", ms: LOOK_AGAIN_MS },
  ];
}

/**
 * The versions that are older than the newest N built ones, oldest first, as far as the versions and their Model can tell:
 *
 * | version | goes |
 * | --- | --- |
 * | one of the newest N that are built, the latest, named by an alias | no |
 * | older, built, or failed and not asked to be tried again | yes, unless something refers to it |
 * | not begun, or being built | no |
 * | being deleted already | no |
 */
export function outlived(model: Model, versions: readonly ModelVersion[]): readonly ModelVersion[] {
  const keepLast = model.spec?.retention?.keepLast;
  // Less than 1 can only be stored by another schema.
  if (keepLast === undefined || keepLast < 1) return [];
  if (model.metadata.deletionTimestamp !== undefined) return [];
  const oldestKept = servedByAge(versions).at(-keepLast);
  if (oldestKept === undefined) return [];
  const kept = new Set([
    model.status?.latestVersion?.modelVersion,
    ...(model.status?.aliases ?? []).map(({ modelVersion }) => modelVersion),
    ...Object.values(model.spec?.aliases ?? {}),
  ]);
  return versions
    .filter(
      (version) =>
        byAge(version, oldestKept) < 0 &&
        !isBuilding(version) &&
        !isRetried(version) &&
        version.metadata.deletionTimestamp === undefined &&
        !kept.has(version.metadata.name),
    )
    .toSorted(byAge);
}

/**
 * What makes pods of its template by itself: not a ReplicaSet of a Deployment, whose template counts instead, nor a job that has
 * ended. Whose template a ReplicaSet of another controller has is not known, so it counts.
 */
function mayStartPods(workload: Workload): boolean {
  if (workload.kind === "ReplicaSet") return !isOfDeployment(workload);
  const row = jobKind(JOB_KINDS, workload);
  return row === undefined || outcomeOf(row, workload) === "running";
}

function isOfDeployment(workload: Workload): boolean {
  const { apiVersion, kind } = controllerOf(workload) ?? {};
  return apiVersion === "apps/v1" && kind === "Deployment";
}

function versionsOfPod(pod: Pod): readonly (string | undefined)[] {
  return servedModels(pod).map(({ modelVersion }) => modelVersion);
}

/** What a template asks for by a Model's name is kept for being the latest version, or that of an alias. */
function versionsOfTemplate({ spec }: Workload): readonly string[] {
  const template = spec?.template ?? spec?.jobTemplate?.spec?.template;
  const read = readIntent(template?.metadata?.annotations, "metadata.annotations");
  const models = read.ok ? (read.intent.serve?.models ?? []) : [];
  return models.flatMap(({ wanted }) => ("modelVersion" in wanted ? [wanted.modelVersion] : []));
}

function retire(model: Model, version: ModelVersion): readonly Action[] {
  const keepLast = model.spec?.retention?.keepLast;
  return [
    // What changed since, by an alias of its own or a retry, is looked at again.
    { type: "delete", ref: refOf(version), resourceVersion: version.metadata.resourceVersion },
    {
      type: "event",
      ref: refOf(model),
      kind: "Normal",
      reason: "VersionRetired",
      message: `ModelVersion ${version.metadata.name} is deleted: spec.retention.keepLast is ${keepLast}, newer versions are built, and nothing refers to it`,
    },
  ];
}
