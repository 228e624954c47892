import type { Pod, VolumeMount } from "../api/kube-types.ts";
import type { Warning } from "../api/review.ts";
import { mountsAt, withoutMount } from "../inject/conflicts.ts";
import { imageVolumesOf } from "../inject/image-volume.ts";
import { copyMount, imageMount, loadersOf } from "../inject/init-container.ts";
import type { ServeIntent } from "../inject/intent.ts";
import { draftPod, type ContainerRef } from "../inject/pod-draft.ts";
import { showModel } from "../inject/serving-hook.ts";
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
  const loaders = loadersOf(pod);
  const volumes = imageVolumesOf(pod);
  const last = Math.max(...loaders.map(({ index }) => index));
  const isEarly = ({ list, index }: ContainerRef): boolean =>
    list === "initContainers" && index < last;
  const missing = intent.models.flatMap(({ mountPath }, model) => {
    const mount = mountOf(model, mountPath, loaders.length > 0, volumes);
    if (mount === undefined) return [];
    return [{ mount, unmounted: withoutMount(targets, mount.name, mount.subPath) }];
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
      unmounted.filter(isEarly).map(({ container }) => container.name),
    ),
  );
  return patch("AlreadyInjected", draft.operations(), [
    ...warnings,
    ...[...early].map(earlyWarning),
  ]);
}

/** The mount by which a container sees a model of the pod; undefined for one that the pod has no volume of. */
function mountOf(
  model: number,
  mountPath: string,
  isCopied: boolean,
  volumes: readonly string[],
): VolumeMount | undefined {
  if (isCopied) return copyMount(model, mountPath);
  const name = volumes[model];
  return name === undefined ? undefined : imageMount(name, mountPath);
}

function earlyWarning(name: string): Warning {
  const message = `init container ${name} starts before the model is there and does not get it`;
  return { reason: "StartsBeforeModel", message };
}
