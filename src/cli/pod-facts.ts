import { intentOf } from "../admission/pod.ts";
import type { Snapshot } from "../admission/snapshot.ts";
import { ANNOTATIONS, LABELS } from "../api/annotations.ts";
import type { KubeObject, Pod } from "../api/kube-types.ts";
import type { LabelSelector, ModelBinding } from "../api/modelbinding.ts";
import { imageVolumesOf } from "../inject/image-volume.ts";
import { hasLoaderOfKubeDl, loadersOf } from "../inject/init-container.ts";
import type { IntentResult } from "../inject/intent.ts";
import { readStatus, type ServingStatus } from "../inject/serving-status.ts";
import type { Unread } from "./attempts.ts";
import { answerPod, type PodAnswer } from "./pod-answer.ts";
import { withoutInjection } from "./without-injection.ts";
import { bindingsIn, snapshotIn, type World } from "./world.ts";

/** Everything that is known of a pod that is to be explained. */
export interface PodObserved {
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly pod: Pod;
  readonly world: World;
  /** The pod's controller, and that one's, as far as they could be read. */
  readonly owners: readonly KubeObject[];
  /** Undefined where it could not be read. */
  readonly configuration: WebhookConfiguration | "absent" | undefined;
  /** What could not be read. */
  readonly unread: readonly Unread[];
}

/** The part of a MutatingWebhookConfiguration that tells which pods pass it by. */
export interface WebhookConfiguration extends KubeObject {
  readonly webhooks?: readonly {
    readonly name: string;
    readonly failurePolicy?: string;
    readonly namespaceSelector?: LabelSelector;
  }[];
}

/** What follows from it, and every part of the explanation looks at. */
export interface PodFacts extends PodObserved {
  readonly namespace: string;
  readonly snapshot: Snapshot;
  /** All bindings of the namespace, in effect or not. */
  readonly bindings: readonly ModelBinding[];
  /** What asks for the pod now. */
  readonly read: IntentResult;
  /** What the webhook recorded. */
  readonly status: ServingStatus | undefined;
  /** True for a pod that has anything from us, or from KubeDL. */
  readonly isGiven: boolean;
  /** What the webhook would answer if the pod were made now, as it was made then. */
  readonly again: PodAnswer;
}

/** A line of the explanation; one without a label goes on with the line before it. */
export type Line = readonly [label: string, text: string];

/** True where one of these resources, by their plurals, could not be read: then nothing follows from what is not there. */
export function isUnread({ unread }: PodObserved, ...resources: readonly string[]): boolean {
  return unread.some(({ resource }) => resources.includes(resource));
}

/** Draws the first conclusions. */
export function factsOf(observed: PodObserved): PodFacts {
  const { pod, world, now } = observed;
  const { namespace = "", annotations, labels } = pod.metadata ?? {};
  const snapshot = snapshotIn(world, namespace, pod, now);
  return {
    ...observed,
    namespace,
    snapshot,
    bindings: bindingsIn(world, namespace),
    read: intentOf(pod, snapshot.bindings),
    status: readStatus(pod),
    isGiven:
      annotations?.[ANNOTATIONS.status] !== undefined ||
      labels?.[LABELS.export] === "true" ||
      loadersOf(pod).length + imageVolumesOf(pod).length > 0 ||
      hasLoaderOfKubeDl(pod),
    again: answerPod(withoutInjection(pod), observed.owners, { world, namespace, now }),
  };
}
