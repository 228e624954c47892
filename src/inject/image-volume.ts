import { LABELS } from "../api/annotations.ts";
import type { Pod, Volume } from "../api/kube-types.ts";
import { MODEL_VOLUME } from "./init-container.ts";

/** A volume that is the content of an image, read-only (Kubernetes: Image volumes). */
export function imageVolume(name: string, reference: string): Volume {
  return { name, image: { reference, pullPolicy: "IfNotPresent" } };
}

/** Name of the image volume of a model, before it is looked whether it is taken. */
export function imageVolumeName(model: number): string {
  return model === 0 ? MODEL_VOLUME : `${MODEL_VOLUME}-${model + 1}`;
}

/** Names of the image volumes by which the pod has its models already, in their order; empty when it has none from us. */
export function imageVolumesOf({ metadata, spec }: Pod): readonly string[] {
  // The reserved name alone is a conflict; with our label it is what an earlier call of this admission made.
  if (metadata?.labels?.[LABELS.served] !== "true") return [];
  const pinned = (spec?.volumes ?? [])
    .filter(({ name, image }) => name.startsWith(MODEL_VOLUME) && isPinned(image?.reference))
    .map(({ name }) => name);
  // Ours are added together, the reserved name first; before it stand such as the user has.
  const first = pinned.indexOf(MODEL_VOLUME);
  return first === -1 ? [] : pinned.slice(first);
}

function isPinned(reference: string | undefined): boolean {
  return reference?.includes("@sha256:") === true;
}
