import { ANNOTATIONS, LABELS } from "../api/annotations.ts";
import type { Pod } from "../api/kube-types.ts";

/** True for a pod that the webhook gave something when it was made, as far as its metadata tells: a model, a gate, or storage to write to. */
export function isGiven({ metadata }: Pick<Pod, "metadata">): boolean {
  const { annotations, labels } = metadata ?? {};
  return (
    annotations?.[ANNOTATIONS.status] !== undefined ||
    labels?.[LABELS.served] === "true" ||
    labels?.[LABELS.export] === "true"
  );
}
