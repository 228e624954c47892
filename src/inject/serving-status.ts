import { ANNOTATIONS, DEFAULT_MOUNT_PATH, GATES } from "../api/annotations.ts";
import { isFields } from "../api/fields.ts";
import type { Pod } from "../api/kube-types.ts";
import { pointerToken } from "../api/review.ts";
import type { Wanted } from "../api/wanted.ts";

/** Where a pod has its status annotation, as a JSON pointer. */
export const STATUS_PATH = `/metadata/annotations/${pointerToken(ANNOTATIONS.status)}`;

/** How a model gets into a pod. */
export type DeliveryWay = "copy" | "image-volume";

/** A model of a pod, as its status annotation tells. */
export interface ServedModel {
  readonly wanted: Wanted;
  /** The version that the pod got, or waits for where that is certain. */
  readonly modelVersion?: string | undefined;
  /** Digest of the image that is in the pod; absent while the pod waits. */
  readonly digest?: string | undefined;
  readonly mountPath: string;
}

/** What the status annotation of a serving pod says. */
export interface ServingStatus {
  readonly models: readonly ServedModel[];
  readonly delivery: DeliveryWay;
  /** Why it is this way of delivery, where the choice was ours. */
  readonly why?: string | undefined;
  /** The ModelBinding that asked for the pod. */
  readonly binding?: string | undefined;
}

/** Value of the status annotation; the pod waits for the gate when a model has no digest. */
export function printStatus({ models, delivery, why, binding }: ServingStatus): string {
  return JSON.stringify({
    models: models.map(({ wanted, modelVersion, digest, mountPath }) => ({
      ...wordsOf(wanted),
      ...(modelVersion === undefined ? {} : { modelVersion }),
      digest,
      mountPath,
    })),
    ...(models.some(({ digest }) => digest === undefined) ? { waitsFor: GATES.build } : {}),
    delivery,
    ...(why === undefined ? {} : { why }),
    ...(binding === undefined ? {} : { binding }),
  });
}

/** What the status annotation says; undefined when it says nothing that we could have written. */
export function readStatus({ metadata }: Pod): ServingStatus | undefined {
  const status = parse(metadata?.annotations?.[ANNOTATIONS.status]);
  if (!isFields(status)) return undefined;
  // Before there could be several models the one stood at the top, without its path.
  const entries: unknown = status["models"] ?? [{ mountPath: DEFAULT_MOUNT_PATH, ...status }];
  if (!Array.isArray(entries)) return undefined;
  const models = entries.map(modelOf).filter((model) => model !== undefined);
  // Which loader an entry is for depends on its place.
  if (models.length === 0 || models.length < entries.length) return undefined;
  const { why, binding } = status;
  return {
    models,
    delivery: status["delivery"] === "image-volume" ? "image-volume" : "copy",
    ...(typeof why === "string" ? { why } : {}),
    ...(typeof binding === "string" ? { binding } : {}),
  };
}

/** The models of a pod by its status annotation; none for a pod that has nothing from us. */
export function servedModels(pod: Pod): readonly ServedModel[] {
  return readStatus(pod)?.models ?? [];
}

/** True when a container or volume of the pod is of the image with that digest, whatever its annotations say. */
export function runsDigest({ spec }: Pod, digest: string): boolean {
  const images = [
    ...(spec?.initContainers ?? []).map(({ image }) => image),
    ...(spec?.volumes ?? []).map(({ image }) => image?.reference),
  ];
  return images.some((image) => image?.endsWith(`@${digest}`) === true);
}

/** What is said, after its name, of a version that was built but has no digest: pods run digests only. */
export const WITHOUT_DIGEST =
  "is built, but its status has no digest: another controller built it, and its tag may name anything by now; name one that modelhook has built";

/** True for a pod whose containers have not all ended and that nobody deletes. */
export function isAlive({ metadata, status }: Pod): boolean {
  const { phase = "Pending" } = status ?? {};
  return metadata?.deletionTimestamp === undefined && phase !== "Succeeded" && phase !== "Failed";
}

function wordsOf(wanted: Wanted): object {
  if ("modelVersion" in wanted) return { modelVersion: wanted.modelVersion };
  const { model, alias } = wanted;
  return { model, alias };
}

function modelOf(entry: unknown): ServedModel | undefined {
  if (!isFields(entry)) return undefined;
  const text = (key: string): string | undefined => {
    const value = entry[key];
    return typeof value === "string" ? value : undefined;
  };
  const [modelVersion, model, alias] = [text("modelVersion"), text("model"), text("alias")];
  const mountPath = text("mountPath");
  if (mountPath === undefined || (model === undefined && modelVersion === undefined)) {
    return undefined;
  }
  return {
    wanted: model === undefined ? { modelVersion: modelVersion ?? "" } : { model, alias },
    modelVersion,
    digest: text("digest"),
    mountPath,
  };
}

function parse(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? "null");
  } catch {
    return undefined;
  }
}
