import type { Cause } from "../api/review.ts";
import type { Container, Pod, VolumeMount } from "../api/kube-types.ts";
import { mountedAt } from "../api/path.ts";
import type { ContainerRef } from "./pod-draft.ts";

/** Volumes and containers of the pod that have names which the product reserves. */
export function reservedNames(
  pod: Pod,
  reserved: { readonly volumes: readonly string[]; readonly containers: readonly string[] },
): readonly Cause[] {
  const causes: Cause[] = [];
  for (const [index, { name }] of (pod.spec?.volumes ?? []).entries()) {
    if (!reserved.volumes.includes(name)) continue;
    causes.push({
      field: `spec.volumes[${index}].name`,
      message: `${JSON.stringify(name)} is reserved for the model; name the volume differently`,
    });
  }
  for (const list of ["initContainers", "containers"] as const) {
    for (const [index, { name }] of (pod.spec?.[list] ?? []).entries()) {
      if (!reserved.containers.includes(name)) continue;
      causes.push({
        field: `spec.${list}[${index}].name`,
        message: `${JSON.stringify(name)} is reserved for the model's loader; name the container differently`,
      });
    }
  }
  return causes;
}

/** Mounts of the containers that lie at the model's path already. */
export function mountsAt(refs: readonly ContainerRef[], mountPath: string): readonly Cause[] {
  const wanted = mountedAt(mountPath);
  return refs.flatMap(({ list, index, container }) =>
    mountIndexes(container, wanted).map((mount) => ({
      field: `spec.${list}[${index}].volumeMounts[${mount}].mountPath`,
      message: `container ${container.name} already mounts ${JSON.stringify(container.volumeMounts?.[mount]?.name)} at ${mountPath}; remove that mount or choose another path for the model`,
    })),
  );
}

/** The containers that do not mount the volume, or the directory of it where one is given. */
export function withoutMount(
  refs: readonly ContainerRef[],
  volume: string,
  subPath?: string,
): readonly ContainerRef[] {
  const isIt = (mount: VolumeMount): boolean =>
    mount.name === volume && (subPath === undefined || mount.subPath === subPath);
  return refs.filter(({ container }) => !(container.volumeMounts ?? []).some(isIt));
}

/** The containers without a mount of their own, by the user, of this very image's model at that path. */
export function withoutModel(
  refs: readonly ContainerRef[],
  pod: Pod,
  asked: { readonly reference: string; readonly subPath: string; readonly mountPath: string },
): readonly ContainerRef[] {
  const volumes = (pod.spec?.volumes ?? [])
    .filter(({ image }) => image?.reference === asked.reference)
    .map(({ name }) => name);
  if (volumes.length === 0) return refs;
  const isIt = ({ name, subPath, mountPath }: VolumeMount): boolean =>
    volumes.includes(name) &&
    subPath === asked.subPath &&
    mountedAt(mountPath) === mountedAt(asked.mountPath);
  return refs.filter(({ container }) => !(container.volumeMounts ?? []).some(isIt));
}

/** The name, or the first with `-x` after it that is not taken. */
export function freeName(name: string, taken: ReadonlySet<string>): string {
  return taken.has(name) ? freeName(`${name}-x`, taken) : name;
}

function mountIndexes(container: Container, wanted: string): readonly number[] {
  return [...(container.volumeMounts ?? []).entries()]
    .filter(([, { mountPath }]) => mountedAt(mountPath) === wanted)
    .map(([index]) => index);
}
