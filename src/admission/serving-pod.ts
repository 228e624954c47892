import { ANNOTATIONS, GATES } from "../api/annotations.ts";
import type { Pod } from "../api/kube-types.ts";
import { builtDigest, type ModelVersion, type ModelVersionSpec } from "../api/modelversion.ts";
import type { Cause, Warning } from "../api/review.ts";
import { mountsAt, reservedNames, withoutMount } from "../inject/conflicts.ts";
import {
  LOADER,
  MODEL_VOLUME,
  NO_TOKEN_VOLUME,
  hasLoader,
  hasLoaderOfKubeDl,
} from "../inject/init-container.ts";
import type { ServeIntent } from "../inject/intent.ts";
import { editsFor, nearest } from "../api/nearest.ts";
import { draftPod, type ContainerRef, type PodDraft } from "../inject/pod-draft.ts";
import { deliverCopy, mountCopy } from "../inject/serving-hook.ts";
import { WITHOUT_DIGEST } from "../inject/serving-status.ts";
import { allow, deny, patch, type Decision } from "./decision.ts";
import type { Snapshot } from "./snapshot.ts";

/** Where a pod names its version. */
const VERSION_FIELD = `metadata.annotations[${ANNOTATIONS.modelVersion}]`;

/** Edits within which another name is suggested for one that is unknown. */
const SUGGEST_DISTANCE = 3;

/** Decides on a pod that wants a model: delivers it, or holds the pod behind a gate until it is built. */
export function decideServingPod(
  pod: Pod,
  intent: ServeIntent,
  snapshot: Snapshot,
  warnings: readonly Warning[],
): Decision {
  if (hasLoaderOfKubeDl(pod)) return allow("AlreadyInjected", warnings);
  if (hasLoader(pod)) return completeDelivery(pod, intent, warnings);
  const { modelVersion: name } = intent;
  const version = Object.hasOwn(snapshot.versions, name) ? snapshot.versions[name] : undefined;
  if (version?.status?.imageBuildPhase === "ImageBuildFailed") {
    const message = `the build of ModelVersion ${name} failed: ${version.status.message ?? "no reason given"}`;
    return deny("ModelBuildFailed", [{ field: VERSION_FIELD, message }], warnings);
  }
  const clashes = reservedNames(pod, {
    volumes: [MODEL_VOLUME, NO_TOKEN_VOLUME],
    containers: [LOADER],
  });
  if (clashes.length > 0) return deny("NameConflict", clashes, warnings);
  const draft = draftPod(pod);
  const { targets, unknown } = chooseContainers(draft, intent.containers);
  if (unknown.length > 0) return deny("InvalidAnnotation", unknown, warnings);
  const conflicts = mountsAt(targets, intent.mountPath);
  if (conflicts.length > 0) return deny("MountConflict", conflicts, warnings);

  const digest = version === undefined ? undefined : builtDigest(version);
  if (digest === undefined && pod.spec?.nodeName !== undefined) {
    const message = `${JSON.stringify(pod.spec.nodeName)} is set while the model is not built; a pod that has its node already can not wait: build ModelVersion ${name} first, or use nodeSelector or affinity`;
    return deny("NodeNameWithGate", [{ field: "spec.nodeName", message }], warnings);
  }
  // Stored objects may have no spec: KubeDL does not require one.
  const spec = version?.spec as Partial<ModelVersionSpec> | undefined;
  const delivered = {
    imageRepo: spec?.imageRepo,
    digest,
    size: digest === undefined ? undefined : version?.status?.size,
    files: version?.status?.files,
    pullSecret: spec?.builder?.pushSecret?.name,
  };
  deliverCopy(draft, pod, intent, targets, delivered, snapshot.policy.loaderResources);
  if (digest !== undefined) return patch("Injected", draft.operations(), warnings);
  return patch("Gated", draft.operations(), [...warnings, gateWarning(intent, version, snapshot)]);
}

/** Containers that another webhook added after the loader need the model too; one that starts before the loader can not have it. */
function completeDelivery(pod: Pod, intent: ServeIntent, warnings: readonly Warning[]): Decision {
  const draft = draftPod(pod);
  const { targets, unknown } = chooseContainers(draft, intent.containers);
  if (unknown.length > 0) return deny("InvalidAnnotation", unknown, warnings);
  const loader = (pod.spec?.initContainers ?? []).findIndex(({ name }) => name === LOADER);
  const isEarly = ({ list, index }: ContainerRef): boolean =>
    list === "initContainers" && index < loader;
  const unmounted = withoutMount(targets, MODEL_VOLUME);
  const late = unmounted.filter((target) => !isEarly(target));
  const conflicts = mountsAt(late, intent.mountPath);
  if (conflicts.length > 0) return deny("MountConflict", conflicts, warnings);
  mountCopy(draft, intent, late);
  const early = unmounted.filter(isEarly).map(({ container }) => earlyWarning(container.name));
  return patch("AlreadyInjected", draft.operations(), [...warnings, ...early]);
}

function earlyWarning(name: string): Warning {
  const message = `init container ${name} starts before the model is there and does not get it`;
  return { reason: "StartsBeforeModel", message };
}

/** The containers that get the mount: those named, or all; never the loader. */
function chooseContainers(
  draft: PodDraft,
  names: readonly string[] | undefined,
): { readonly targets: readonly ContainerRef[]; readonly unknown: readonly Cause[] } {
  const containers = draft.containers.filter(({ container }) => container.name !== LOADER);
  if (names === undefined) return { targets: containers, unknown: [] };
  const has = containers.map(({ container }) => container.name);
  const unknown = names
    .filter((name) => !has.includes(name))
    .map((name) => ({
      field: `metadata.annotations[${ANNOTATIONS.containers}]`,
      message: `the pod has no container ${JSON.stringify(name)}; it has ${has.join(", ")}`,
    }));
  const targets = containers.filter(({ container }) => names.includes(container.name));
  return { targets, unknown };
}

function gateWarning(
  intent: ServeIntent,
  version: ModelVersion | undefined,
  snapshot: Snapshot,
): Warning {
  const name = intent.modelVersion;
  if (version !== undefined) {
    const { imageBuildPhase } = version.status ?? {};
    const state = imageBuildPhase === "ImageBuildSucceeded" ? WITHOUT_DIGEST : "is not built yet";
    const message = `ModelVersion ${name} ${state}; the pod waits behind the scheduling gate ${GATES.build}`;
    return { reason: "ModelNotBuilt", message };
  }
  const meant = nearest(name, snapshot.versionNames, editsFor(name, SUGGEST_DISTANCE));
  const suggestion = meant === undefined ? "" : `; did you mean ${meant}?`;
  const message = `ModelVersion ${name} does not exist; the pod waits behind the scheduling gate ${GATES.build}${suggestion}`;
  return { reason: "ModelNotFound", message };
}
