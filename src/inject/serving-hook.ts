import { ANNOTATIONS, DEFAULT_SECRET, GATES, LABELS } from "../api/annotations.ts";
import { ZERO_DIGEST, pinned } from "../api/image-ref.ts";
import type { Pod, ResourceRequirements, VolumeMount } from "../api/kube-types.ts";
import { freeName } from "./conflicts.ts";
import { ENV } from "./env.ts";
import { imageVolume, imageVolumeName } from "./image-volume.ts";
import {
  LOADER,
  copyMount,
  imageMount,
  loaderContainer,
  loaderVolumes,
  loadersOf,
} from "./init-container.ts";
import type { ServeIntent } from "./intent.ts";
import { copyBytes, loaderResources } from "./loader-resources.ts";
import type { ContainerRef, PodDraft } from "./pod-draft.ts";
import { printStatus, type DeliveryWay } from "./serving-status.ts";
import type { WantedModel } from "./wanted-models.ts";

/** Image of a gated pod whose version is unknown; no registry has it. */
export const PENDING_IMAGE = `modelhook.invalid/pending@${ZERO_DIGEST}`;

/** A model that is delivered: a built image, or a placeholder behind a gate. */
export interface DeliveredModel extends WantedModel {
  /** The version; undefined while it is not certain which it will be. */
  readonly modelVersion: string | undefined;
  /** Repository of the version's image; undefined when the version is unknown. */
  readonly imageRepo: string | undefined;
  /** Digest of the built image; undefined puts the pod behind the gate. */
  readonly digest: string | undefined;
  /** Bytes of the model, when known, and how many files hold them. */
  readonly size: number | undefined;
  readonly files: number | undefined;
  /** Secret that pulls the image, when the version names one; the default is tried besides. */
  readonly pullSecret: string | undefined;
  /** Image that copies the model, where its own has no shell. */
  readonly copier: string | undefined;
  /** The containers that are to see it. */
  readonly targets: readonly ContainerRef[];
}

/** How models are delivered, and why so where the choice was ours. */
export interface DeliveryChoice {
  readonly way: DeliveryWay;
  readonly why: string | undefined;
}

/** Puts the models into the pod. */
export function deliver(
  draft: PodDraft,
  pod: Pod,
  intent: ServeIntent,
  models: readonly DeliveredModel[],
  { way, why }: DeliveryChoice,
  loaderDefaults: ResourceRequirements,
): void {
  if (way === "copy") addLoaders(draft, pod, intent, models, loaderDefaults);
  else addImageVolumes(draft, pod, intent, models);
  // The kubelet ignores a Secret that is not there; a gated pod may come to need it, and can get it only now.
  for (const { pullSecret } of models)
    if (pullSecret !== undefined) draft.addPullSecret(pullSecret);
  draft.addPullSecret(DEFAULT_SECRET);
  if (models.some(({ digest }) => digest === undefined)) {
    draft.addGate(GATES.build);
    draft.setLabel(LABELS.gated, "true");
  }
  draft.setLabel(LABELS.served, "true");
  const served = models.map(({ wanted, modelVersion, digest, mountPath }) => ({
    wanted,
    modelVersion,
    digest,
    mountPath,
  }));
  const { binding } = intent;
  draft.setAnnotation(
    ANNOTATIONS.status,
    printStatus({ models: served, delivery: way, why, binding }),
  );
}

/** Shows a model to containers, by a mount that the pod has the volume for; the first model's path is the pod's model path. */
export function showModel(
  draft: PodDraft,
  intent: ServeIntent,
  mount: VolumeMount,
  targets: readonly ContainerRef[],
): void {
  const [first, ...others] = intent.models.map(({ mountPath }) => mountPath);
  for (const target of targets) {
    draft.addMount(target, mount);
    tellPaths(draft, target, first ?? "", others);
  }
}

/** True for a pod that waits behind our gate with a loader of ours. */
export function isGatedServingPod(pod: Pod): boolean {
  const gates = pod.spec?.schedulingGates ?? [];
  return loadersOf(pod).length > 0 && gates.some(({ name }) => name === GATES.build);
}

function tellPaths(
  draft: PodDraft,
  target: ContainerRef,
  first: string,
  others: readonly string[],
): void {
  draft.addEnv(target, { name: ENV.modelPath, value: first });
  if (others.length === 0) return;
  draft.addEnv(target, { name: ENV.modelPaths, value: [first, ...others].join(":") });
}

function addLoaders(
  draft: PodDraft,
  pod: Pod,
  intent: ServeIntent,
  models: readonly DeliveredModel[],
  defaults: ResourceRequirements,
): void {
  const takenContainers = new Set(draft.containers.map(({ container }) => container.name));
  const takenVolumes = volumeNames(pod);
  let copies: number | undefined = 0;
  for (const [model, each] of models.entries()) {
    const bytes = copyBytes(each.size, each.files ?? 0);
    // The copies of the loaders before this one lie in the same volume.
    copies = copies === undefined || bytes === undefined ? undefined : copies + bytes;
    const source =
      each.copier === undefined
        ? undefined
        : freeName(`${imageVolumeName(model)}-image`, takenVolumes);
    if (source !== undefined) draft.addVolume(imageVolume(source, imageOf(each)));
    const name = freeName(model === 0 ? LOADER : `${LOADER}-${model + 1}`, takenContainers);
    const resources = loaderResources(pod, intent.loaderResources, defaults, copies);
    const image = each.copier ?? imageOf(each);
    draft.addFirstInitContainer(loaderContainer({ name, image, model, source }, resources));
    showModel(draft, intent, copyMount(model, each.mountPath), each.targets);
  }
  for (const volume of loaderVolumes(copies)) draft.addVolume(volume);
}

function addImageVolumes(
  draft: PodDraft,
  pod: Pod,
  intent: ServeIntent,
  models: readonly DeliveredModel[],
): void {
  const taken = volumeNames(pod);
  for (const [model, each] of models.entries()) {
    const name = freeName(imageVolumeName(model), taken);
    draft.addVolume(imageVolume(name, imageOf(each)));
    showModel(draft, intent, imageMount(name, each.mountPath), each.targets);
  }
}

function imageOf({ imageRepo, digest }: DeliveredModel): string {
  return imageRepo === undefined ? PENDING_IMAGE : pinned(imageRepo, digest ?? ZERO_DIGEST);
}

function volumeNames({ spec }: Pod): ReadonlySet<string> {
  return new Set((spec?.volumes ?? []).map(({ name }) => name));
}
