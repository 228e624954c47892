import { ANNOTATIONS, DEFAULT_SECRET, GATES, LABELS } from "../api/annotations.ts";
import { ZERO_DIGEST, pinned } from "../api/image-ref.ts";
import type { Pod, ResourceRequirements } from "../api/kube-types.ts";
import { ENV } from "./env.ts";
import {
  copyQuantity,
  hasLoader,
  loaderContainer,
  loaderVolumes,
  modelMount,
} from "./init-container.ts";
import type { ServeIntent } from "./intent.ts";
import type { ContainerRef, PodDraft } from "./pod-draft.ts";
import { servingStatus } from "./serving-status.ts";

/** Image of a gated pod whose version is unknown; no registry has it. */
export const PENDING_IMAGE = `modelhook.invalid/pending@${ZERO_DIGEST}`;

/** What is delivered: a built image, or a placeholder behind a gate. */
export interface Delivered {
  /** Repository of the version's image; undefined when the version is unknown. */
  readonly imageRepo: string | undefined;
  /** Digest of the built image; undefined puts the pod behind the gate. */
  readonly digest: string | undefined;
  /** Bytes of the model, when known, and how many files hold them. */
  readonly size: number | undefined;
  readonly files?: number | undefined;
  /** Secret that pulls the image, when the version names one; the default is tried besides. */
  readonly pullSecret: string | undefined;
}

/** Puts the model into the pod by a copying init container. */
export function deliverCopy(
  draft: PodDraft,
  pod: Pod,
  intent: ServeIntent,
  targets: readonly ContainerRef[],
  delivered: Delivered,
  loaderDefaults: ResourceRequirements,
): void {
  const { imageRepo, digest } = delivered;
  const storage = copyQuantity(delivered.size, delivered.files ?? 0);
  const image = imageRepo === undefined ? PENDING_IMAGE : pinned(imageRepo, digest ?? ZERO_DIGEST);
  draft.addFirstInitContainer(
    loaderContainer(pod, image, intent.loaderResources, loaderDefaults, storage),
  );
  for (const volume of loaderVolumes(storage)) draft.addVolume(volume);
  mountCopy(draft, intent, targets);
  // The kubelet ignores a Secret that is not there; a gated pod may come to need it, and can get it only now.
  for (const name of new Set([delivered.pullSecret ?? DEFAULT_SECRET, DEFAULT_SECRET])) {
    draft.addPullSecret(name);
  }
  if (digest === undefined) {
    draft.addGate(GATES.build);
    draft.setLabel(LABELS.gated, "true");
  }
  draft.setLabel(LABELS.served, "true");
  draft.setAnnotation(ANNOTATIONS.status, servingStatus(intent.modelVersion, digest));
}

/** Shows the copied model to containers. */
export function mountCopy(
  draft: PodDraft,
  intent: ServeIntent,
  targets: readonly ContainerRef[],
): void {
  for (const target of targets) {
    draft.addMount(target, modelMount(intent.mountPath));
    draft.addEnv(target, { name: ENV.modelPath, value: intent.mountPath });
  }
}

/** True for a pod that waits behind our gate with a loader of ours. */
export function isGatedServingPod(pod: Pod): boolean {
  return (
    hasLoader(pod) && (pod.spec?.schedulingGates ?? []).some(({ name }) => name === GATES.build)
  );
}
