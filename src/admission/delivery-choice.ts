import type { Node, Pod } from "../api/kube-types.ts";
import { NO_BASE, hasNoShell, type ModelVersion } from "../api/modelversion.ts";
import type { Reason } from "../api/reasons.ts";
import type { Cause } from "../api/review.ts";
import { NO_NODE, imageVolumeObstacle } from "../inject/image-volumes.ts";
import type { ServeIntent } from "../inject/intent.ts";
import type { DeliveryChoice } from "../inject/serving-hook.ts";

const BECAUSE_IT_WAITS =
  "the pod waits for a build, and only images of a pod that waits can be changed";

/** How the models get into the pod, or why they can not. */
export type ChosenDelivery =
  | (DeliveryChoice & {
      readonly ok: true;
      /** Image that copies models whose own image has no shell. */
      readonly copier: string | undefined;
    })
  | { readonly ok: false; readonly reason: Reason; readonly causes: readonly Cause[] };

/** What the choice depends on, besides what is asked for. */
export interface DeliveryFacts {
  readonly pod: Pod;
  /** Versions of the models, as far as they are known. */
  readonly versions: readonly ModelVersion[];
  /** True for a pod that has to wait: of it only images can be changed later. */
  readonly isGated: boolean;
  /** All nodes of the cluster; undefined where they are not looked at. */
  readonly nodes: readonly Node[] | undefined;
  /** Images with a shell that the administrator puts models on. */
  readonly baseImages: readonly string[];
}

const UNKNOWN_NODES = "the nodes are not known";
const EVERY_NODE = "every node that the pod can go to mounts it";

/**
 * | asked | pod waits | every node mounts image volumes | an image has no shell | delivered |
 * | --- | --- | --- | --- | --- |
 * | any | yes | any | no | copy |
 * | any | yes | any | yes | denied |
 * | copy | no | any | no | copy |
 * | copy | no | yes | yes | copy, out of an image volume |
 * | auto, image-volume | no | yes | any | image volume |
 * | auto | no | no | no | copy |
 * | image-volume | no | no | any | denied |
 * | auto, copy | no | no | yes | denied |
 *
 * Where no node is known, or none is looked at, they can do what is asked for, and `auto` is a copy if it can be.
 */
export function chooseDelivery(intent: ServeIntent, facts: DeliveryFacts): ChosenDelivery {
  const { pod, versions, isGated, nodes, baseImages } = facts;
  const { delivery, deliveryField: field } = intent;
  const noShell = ({ metadata }: ModelVersion, rest: string): ChosenDelivery => {
    const message = `the image of ModelVersion ${metadata.name} has no shell to copy its model with, ${rest}`;
    return { ok: false, reason: "NoShell", causes: [{ field, message }] };
  };
  const shellless = versions.find((version) => hasNoShell(version, baseImages[0]));
  if (isGated) {
    return shellless === undefined
      ? copy(delivery === "copy" ? undefined : BECAUSE_IT_WAITS)
      : noShell(
          shellless,
          "and a pod that waits for a build can get a copy only; make it when all of its models are built",
        );
  }
  if (delivery === "copy" && shellless === undefined) return copy(undefined);
  const found = nodes === undefined ? UNKNOWN_NODES : imageVolumeObstacle(pod, nodes);
  // An autoscaler makes nodes for pods that wait, not for pods that were denied; a copy is right on whatever it makes.
  const isOpen = found === UNKNOWN_NODES || found === NO_NODE;
  const canCopy = delivery === "auto" && shellless === undefined;
  const obstacle = isOpen && !canCopy ? undefined : found;
  if (obstacle !== undefined) {
    if (delivery === "image-volume") {
      const way = shellless === undefined ? "use copy, or keep" : "keep";
      const message = `"image-volume" is not possible: ${obstacle}; ${way} the pod from such nodes`;
      return { ok: false, reason: "ImageVolumesUnsupported", causes: [{ field, message }] };
    }
    return shellless === undefined
      ? copy(obstacle)
      : noShell(shellless, `and not every node can mount it as a volume: ${obstacle}`);
  }
  if (delivery !== "copy") {
    const why = delivery === "auto" ? (found ?? EVERY_NODE) : undefined;
    return { ok: true, way: "image-volume", why, copier: undefined };
  }
  const copier = baseImages.find((image) => image !== NO_BASE);
  if (copier === undefined && shellless !== undefined) {
    return noShell(shellless, "and the administrator names no base image that has one");
  }
  return { ...copy(undefined), copier };
}

function copy(why: string | undefined) {
  return { ok: true, way: "copy", why, copier: undefined } as const;
}
