import type { Pod, VolumeMount } from "../api/kube-types.ts";
import type { Warning } from "../api/review.ts";
import { wantedText } from "../api/wanted.ts";
import { mountsAt, shortName, withoutModel, withoutMount } from "../inject/conflicts.ts";
import { imageVolumesOf } from "../inject/image-volume.ts";
import {
  IMAGE_DIRECTORY,
  LOADER,
  MODEL_VOLUME,
  copyMount,
  imageMount,
  loadersOf,
  modelImageOf,
} from "../inject/init-container.ts";
import type { ServeIntent } from "../inject/intent.ts";
import { draftPod, type ContainerRef } from "../inject/pod-draft.ts";
import { showModel } from "../inject/serving-hook.ts";
import { readStatus } from "../inject/serving-status.ts";
import { deny, patch, type Decision } from "./decision.ts";

/**
 * Decides on a pod that has its models already: containers that another webhook added since need them too; one that starts before a
 * loader can not have the copy.
 */
export function completeDelivery(
  pod: Pod,
  intent: ServeIntent,
  targets: readonly ContainerRef[],
  warnings: readonly Warning[],
): Decision {
  const last = loadersOf(pod).at(-1)?.index ?? -1;
  const isEarly = ({ list, index }: ContainerRef): boolean =>
    list === "initContainers" && index < last;
  const missing = intent.models.flatMap(({ mountPath }, model) => {
    const delivered = deliveredIn(pod, model, mountPath);
    if (delivered === undefined) return [];
    const { mount, reference } = delivered;
    const asked = { reference, subPath: IMAGE_DIRECTORY, mountPath };
    const others = withoutMount(targets, mount.name, mount.subPath);
    return [{ mount, unmounted: withoutModel(others, pod, asked) }];
  });
  const late = missing.map(({ mount, unmounted }) => ({
    mount,
    refs: unmounted.filter((ref) => !isEarly(ref)),
  }));
  const conflicts = late.flatMap(({ mount, refs }) => mountsAt(refs, mount.mountPath));
  if (conflicts.length > 0) return deny("MountConflict", conflicts, warnings);
  const draft = draftPod(pod);
  for (const { mount, refs } of late) showModel(draft, intent, mount, refs);
  const early = new Set(
    missing.flatMap(({ unmounted }) =>
      unmounted.filter(isEarly).map(({ container }) => shortName(container)),
    ),
  );
  return patch("AlreadyInjected", draft.operations(), [
    ...warnings,
    ...otherModels(pod, intent),
    ...[...early].map(earlyWarning),
  ]);
}

/** Said of a pod that came with a model in it, such as a copy of a live one, and asks for another. */
function otherModels(pod: Pod, { models, binding }: ServeIntent): readonly Warning[] {
  const status = readStatus(pod);
  // What a binding says may have changed since the first call of this admission.
  if (status === undefined || binding !== undefined) return [];
  const asked = models.map(({ wanted, mountPath }) => `${wantedText(wanted)} at ${mountPath}`);
  const had = status.models.map(({ wanted, mountPath }) => `${wantedText(wanted)} at ${mountPath}`);
  if (asked.join() === had.join()) return [];
  const message = `the pod came with ${had.join(", ")} in it and keeps that; for ${asked.join(", ")} take the volume ${MODEL_VOLUME} and the init container ${LOADER} out of it`;
  return [{ reason: "AlreadyInjected", message }];
}

/** The mount by which a container sees a model of the pod, and the model's image; undefined for one that the pod does not have. */
function deliveredIn(
  pod: Pod,
  model: number,
  mountPath: string,
): { readonly mount: VolumeMount; readonly reference: string } | undefined {
  const loader = loadersOf(pod).find((each) => each.model === model);
  if (loader !== undefined) {
    const reference = modelImageOf(pod, loader) ?? "";
    return { mount: copyMount(model, mountPath), reference };
  }
  const name = imageVolumesOf(pod)[model];
  if (name === undefined) return undefined;
  const volume = pod.spec?.volumes?.find((each) => each.name === name);
  return { mount: imageMount(name, mountPath), reference: volume?.image?.reference ?? "" };
}

function earlyWarning(name: string): Warning {
  const message = `init container ${name} starts before the model is there and does not get it`;
  return { reason: "StartsBeforeModel", message };
}
