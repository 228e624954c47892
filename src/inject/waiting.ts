import type { Pod } from "../api/kube-types.ts";
import type { Wanted } from "../api/wanted.ts";
import { readIntent } from "./intent.ts";
import { readStatus, type ServingStatus } from "./serving-status.ts";

/** What the webhook recorded of a serving pod; what the pod itself asks for where somebody has spoilt the record. */
export function statusOf(pod: Pod): ServingStatus {
  const status = readStatus(pod);
  if (status !== undefined) return status;
  const read = readIntent(pod.metadata?.annotations, "metadata.annotations");
  return { models: read.ok ? (read.intent.serve?.models ?? []) : [], delivery: "copy" };
}

/** What a serving pod has or waits for. */
export function wantedOf(pod: Pod): readonly Wanted[] {
  return statusOf(pod).models.map(({ wanted }) => wanted);
}
