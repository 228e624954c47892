import type { Pod } from "../api/kube-types.ts";
import { hasNoShell, type ModelVersion } from "../api/modelversion.ts";
import { listed } from "../api/listed.ts";
import type { Cause, Warning } from "../api/review.ts";
import { show } from "../api/schema-faults.ts";
import { storedSpec } from "../api/stored-spec.ts";
import { wantedText } from "../api/wanted.ts";
import { mountsAt, reservedNames, shortName, withoutModel } from "../inject/conflicts.ts";
import { imageVolumesOf } from "../inject/image-volume.ts";
import {
  IMAGE_DIRECTORY,
  LOADER,
  MODEL_VOLUME,
  NO_TOKEN_VOLUME,
  hasLoaderOfKubeDl,
  loadersOf,
} from "../inject/init-container.ts";
import type { ServeIntent } from "../inject/intent.ts";
import { draftPod, type ContainerRef, type PodDraft } from "../inject/pod-draft.ts";
import { builtImage, resolve, type Resolved } from "../inject/resolution.ts";
import { deliver, type DeliveredModel } from "../inject/serving-hook.ts";
import type { WantedModel } from "../inject/wanted-models.ts";
import { completeDelivery } from "./complete-delivery.ts";
import { allow, deny, patch, type Decision } from "./decision.ts";
import { chooseDelivery } from "./delivery-choice.ts";
import { gateWarning } from "./gate-warning.ts";
import type { Snapshot } from "./snapshot.ts";

/** As many of a pod's containers as a sentence names. */
const MAX_NAMES = 8;

/** A model that is asked for, and what is known of it. */
interface Found {
  readonly model: WantedModel;
  readonly resolved: Resolved;
}

/** Decides on a pod that wants models: delivers them, or holds the pod behind a gate until they are built. */
export function decideServingPod(
  pod: Pod,
  intent: ServeIntent,
  snapshot: Snapshot,
  warnings: readonly Warning[],
): Decision {
  if (hasLoaderOfKubeDl(pod)) return allow("AlreadyInjected", warnings);
  const draft = draftPod(pod);
  const { targets, unknown } = chooseContainers(pod, draft, intent);
  if (unknown.length > 0) return deny("InvalidAnnotation", unknown, warnings);
  if (targets.length === 0) return allow("NothingAsked", warnings);
  if (loadersOf(pod).length > 0 || imageVolumesOf(pod).length > 0) {
    return completeDelivery(pod, intent, targets, warnings);
  }
  const found = intent.models.map((model) => ({
    model,
    resolved: resolve(model.wanted, snapshot),
  }));
  const failures = found.flatMap(({ model, resolved }) =>
    resolved.state === "failed" ? [{ field: model.field, message: resolved.message }] : [],
  );
  if (failures.length > 0) return deny("ModelBuildFailed", failures, warnings);
  const clashes = reservedNames(pod, {
    volumes: [MODEL_VOLUME, NO_TOKEN_VOLUME],
    containers: [LOADER],
  });
  if (clashes.length > 0) return deny("NameConflict", clashes, warnings);

  const waiting = found.flatMap(({ model, resolved }) =>
    resolved.state === "waiting" ? [{ model, resolved }] : [],
  );
  const wanting = found.map((each) => ({ ...each, targets: targetsOf(each, pod, targets) }));
  const conflicts = wanting.flatMap((each) => mountsAt(each.targets, each.model.mountPath));
  if (conflicts.length > 0) return deny("MountConflict", conflicts, warnings);
  if (wanting.every((each) => each.targets.length === 0)) {
    return allow("AlreadyInjected", warnings);
  }
  const isGated = waiting.length > 0;
  if (isGated && pod.spec?.nodeName) {
    return deny("NodeNameWithGate", [nodeNameCause(pod.spec.nodeName, waiting)], warnings);
  }
  const choice = chooseDelivery(intent, {
    pod,
    versions: found.flatMap(({ resolved }) => versionOf(resolved) ?? []),
    isGated,
    nodes: snapshot.nodes,
    baseImages: snapshot.policy.baseImages,
  });
  if (!choice.ok) return deny(choice.reason, choice.causes, warnings);
  const models = wanting.map((each) => deliveredOf(each, choice.copier));
  deliver(draft, pod, intent, models, choice, snapshot.policy.loaderResources);
  if (!isGated) return patch("Injected", draft.operations(), warnings);
  const gated = waiting.map(({ model, resolved }) => gateWarning(model.wanted, resolved, snapshot));
  return patch("Gated", draft.operations(), [...warnings, ...gated, ...unlike(intent)]);
}

/** The containers that get the mounts: those named, or all; never a loader of ours. */
function chooseContainers(
  pod: Pod,
  draft: PodDraft,
  { containers: names, containersField: field, areContainersBound }: ServeIntent,
): { readonly targets: readonly ContainerRef[]; readonly unknown: readonly Cause[] } {
  const loaders = new Set(loadersOf(pod).map(({ container }) => container));
  const containers = draft.containers.filter(({ container }) => !loaders.has(container));
  if (names === undefined) return { targets: containers, unknown: [] };
  const wanted = new Set(names);
  const has = new Set(containers.map(({ container }) => container.name));
  const list = listed(
    containers.map(({ container }) => shortName(container)),
    MAX_NAMES,
  );
  const unknown = [...wanted]
    .filter((name) => areContainersBound !== true && !has.has(name))
    .map((name) => ({ field, message: `the pod has no container ${show(name)}; it has ${list}` }));
  const targets = containers.filter(({ container }) => wanted.has(container.name));
  return { targets, unknown };
}

/** Those of the containers that have no mount of this very model where it is asked for. */
function targetsOf(
  { model, resolved }: Found,
  pod: Pod,
  targets: readonly ContainerRef[],
): readonly ContainerRef[] {
  const reference = resolved.state === "built" ? builtImage(resolved) : undefined;
  if (reference === undefined) return targets;
  const { mountPath } = model;
  return withoutModel(targets, pod, { reference, subPath: IMAGE_DIRECTORY, mountPath });
}

function deliveredOf(
  { model, resolved, targets }: Found & { readonly targets: readonly ContainerRef[] },
  copier: string | undefined,
): DeliveredModel {
  const version = versionOf(resolved);
  const isBuilt = resolved.state === "built";
  const spec = version === undefined ? {} : storedSpec(version);
  // An alias may name another version by the time that this one is built.
  const isCertain = isBuilt || "modelVersion" in model.wanted;
  const named = "modelVersion" in model.wanted ? model.wanted.modelVersion : undefined;
  return {
    ...model,
    modelVersion: isCertain ? (version?.metadata.name ?? named) : undefined,
    imageRepo: spec.imageRepo,
    digest: isBuilt ? resolved.digest : undefined,
    size: isBuilt ? version?.status?.size : undefined,
    files: version?.status?.files,
    pullSecret: spec.builder?.pushSecret?.name,
    copier: version !== undefined && hasNoShell(version) ? copier : undefined,
    targets,
  };
}

function versionOf(resolved: Resolved): ModelVersion | undefined {
  return resolved.state === "failed" ? undefined : resolved.version;
}

function nodeNameCause(
  nodeName: string,
  waiting: readonly { readonly model: WantedModel }[],
): Cause {
  const models = waiting.map(({ model }) => wantedText(model.wanted)).join(" and ");
  const message = `${JSON.stringify(nodeName)} is set while the model is not built; a pod that has its node already can not wait: build ${models} first, or use nodeSelector or affinity`;
  return { field: "spec.nodeName", message };
}

/** Said where the pod gets its model in another way than it asks for. */
function unlike({ delivery }: ServeIntent): readonly Warning[] {
  if (delivery !== "image-volume") return [];
  const message =
    "the model is copied, though an image volume is asked for: of a pod that waits only images can be changed";
  return [{ reason: "DeliveredByCopy", message }];
}
