import type { Cause } from "../api/review.ts";
import type { Container, Pod, VolumeMount } from "../api/kube-types.ts";
import { mountedAt } from "../api/path.ts";
import { show } from "../api/schema-faults.ts";
import type { ContainerRef } from "./pod-draft.ts";

/** Longest name that a container can have. */
const MAX_NAME = 63;

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
      message: `container ${shortName(container)} already mounts ${show(container.volumeMounts?.[mount]?.name)} at ${mountPath}; remove that mount or choose another path for the model`,
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
  const volumes = new Set(
    (pod.spec?.volumes ?? [])
      .filter(({ image }) => image?.reference === asked.reference)
      .map(({ name }) => name),
  );
  if (volumes.size === 0) return refs;
  const place = mountedAt(asked.mountPath);
  return refs.filter(({ container }) => {
    const places = placesOf(container);
    return !(container.volumeMounts ?? []).some(
      ({ name, subPath }, index) =>
        volumes.has(name) && subPath === asked.subPath && places[index] === place,
    );
  });
}

/** The name, or the first with `-x` after it that is not taken. */
export function freeName(name: string, taken: ReadonlySet<string>): string {
  return taken.has(name) ? freeName(`${name}-x`, taken) : name;
}

function mountIndexes(container: Container, wanted: string): readonly number[] {
  const places = placesOf(container);
  const found: number[] = [];
  for (
    let index = places.indexOf(wanted);
    index !== -1;
    index = places.indexOf(wanted, index + 1)
  ) {
    found.push(index);
  }
  return found;
}

/** Places of containers, which are never changed: a path may have megabytes, and is looked at for each model. */
const PLACES = new WeakMap<Container, readonly string[]>();

/** Where the kubelet mounts each mount of a container. */
function placesOf(container: Container): readonly string[] {
  const known = PLACES.get(container);
  if (known !== undefined) return known;
  const places = (container.volumeMounts ?? []).map(({ mountPath }) => mountedAt(mountPath));
  PLACES.set(container, places);
  return places;
}

/** A container's name as sentences show it: it is as long as somebody made it, until the API server looks at it. */
export function shortName({ name }: Container): string {
  return name.slice(0, MAX_NAME);
}
