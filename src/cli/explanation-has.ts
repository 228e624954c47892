import { ANNOTATIONS, LABELS } from "../api/annotations.ts";
import type { Pod } from "../api/kube-types.ts";
import { mountedAt } from "../api/path.ts";
import { wantedText } from "../api/wanted.ts";
import { EXPORT_VOLUME } from "../inject/completion-hook.ts";
import { imageVolumesOf } from "../inject/image-volume.ts";
import { hasLoaderOfKubeDl, loadersOf, modelImageOf } from "../inject/init-container.ts";
import type { ServedModel, ServingStatus } from "../inject/serving-status.ts";
import type { Line, PodFacts } from "./pod-facts.ts";

/** Hex digits by which people tell digests apart. */
const SHORT = 12;

/** What the pod got: what the webhook recorded, and where the pod's spec says something else. */
export function explainGiven({ pod, status, isGiven }: PodFacts): readonly Line[] {
  if (!isGiven) return [];
  if (hasLoaderOfKubeDl(pod)) return [["Has", "the loader that KubeDL's own controller puts in"]];
  if (pod.metadata?.labels?.[LABELS.export] === "true") return exportLines(pod);
  if (status === undefined || status.models.length === 0) {
    const images = imagesOf(pod).map(([, image]) => image);
    const spoilt = `its annotation ${ANNOTATIONS.status} says nothing of it: somebody changed it`;
    return [
      ["Has", images.join(" and ")],
      ["But", spoilt],
    ];
  }
  const lines = status.models.map((model): Line => ["Has", modelText(model, status)]);
  const differences = status.models.flatMap((model, index) =>
    differencesOf(pod, model, index, status),
  );
  return [...lines, ...differences.map((text): Line => ["But", text])];
}

/** A model that a pod has, or is to have, on one line. */
export function modelText(model: ServedModel, { delivery, why }: ServingStatus): string {
  const { wanted, modelVersion, digest, mountPath } = model;
  if (digest === undefined) return `a place for ${wantedText(wanted)} at ${mountPath}, still empty`;
  const name = modelVersion === undefined ? wantedText(wanted) : `ModelVersion ${modelVersion}`;
  const way = delivery === "copy" ? "copied by an init container" : "mounted as an image volume";
  const because = why === undefined ? "" : ` (${why})`;
  return `${name}, ${shortDigest(digest)}, at ${mountPath}: ${way}${because}`;
}

/** A digest as people read it. */
export function shortDigest(digest: string): string {
  return digest.slice(0, "sha256:".length + SHORT);
}

function differencesOf(
  pod: Pod,
  { digest, mountPath, modelVersion }: ServedModel,
  index: number,
  { delivery }: ServingStatus,
): readonly string[] {
  if (digest === undefined) return [];
  const name = `ModelVersion ${modelVersion}`;
  const [way, image] = imagesOf(pod)[index] ?? [];
  if (image === undefined) return [`nothing in its spec holds ${name}; somebody removed it`];
  const found = image.split("@")[1];
  return [
    ...(found === digest ? [] : [`its spec has ${image} for ${name}, another image than recorded`]),
    ...(way === delivery
      ? []
      : [`its spec delivers ${name} by ${way}, and ${delivery} is recorded`]),
    ...(isShown(pod, mountPath) ? [] : [`no container mounts ${name} at ${mountPath}`]),
  ];
}

/** How each model of the pod is delivered by its spec, and the image that holds it. */
function imagesOf(pod: Pod): readonly (readonly [way: ServingStatus["delivery"], image: string])[] {
  const volumes = pod.spec?.volumes ?? [];
  const referenceOf = (name: string): string | undefined =>
    volumes.find((volume) => volume.name === name)?.image?.reference;
  const loaders = loadersOf(pod).toSorted((a, b) => a.model - b.model);
  if (loaders.length > 0) {
    return loaders.map((loader) => ["copy", modelImageOf(pod, loader) ?? ""]);
  }
  return imageVolumesOf(pod).map((name) => ["image-volume", referenceOf(name) ?? ""]);
}

function isShown({ spec }: Pod, mountPath: string): boolean {
  return [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])].some(({ volumeMounts }) =>
    (volumeMounts ?? []).some((mount) => mountedAt(mount.mountPath) === mountedAt(mountPath)),
  );
}

function exportLines({ spec }: Pod): readonly Line[] {
  const volume = spec?.volumes?.find(({ name }) => name === EXPORT_VOLUME);
  const mounts = (spec?.containers ?? []).flatMap(({ volumeMounts }) => volumeMounts ?? []);
  const path = mounts.find(({ name }) => name === EXPORT_VOLUME)?.mountPath ?? "no path";
  const claim = volume?.persistentVolumeClaim?.claimName;
  if (claim !== undefined) return [["Has", `claim ${claim} at ${path}, to write the model to`]];
  return volume === undefined
    ? [["But", `it has no volume ${EXPORT_VOLUME}; somebody removed it`]]
    : [["Has", `scratch space at ${path}: another pod of its job writes the model`]];
}
