import { createHash } from "node:crypto";
import { isFields, type Fields } from "../api/fields.ts";
import type { BaseImage } from "./base-image.ts";
import type { Descriptor, ImageManifest } from "./manifest.ts";
import { RegistryError } from "./registry-error.ts";

/** Media types of the OCI image specification (media-types.md). */
const MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json";
const CONFIG_TYPE = "application/vnd.oci.image.config.v1+json";
const LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar";

/** What Docker calls the layers that OCI has other names for; the bytes are the same. */
const OCI_TYPES: Readonly<Record<string, string>> = {
  "application/vnd.docker.image.rootfs.diff.tar.gzip": `${LAYER_TYPE}+gzip`,
  "application/vnd.docker.image.rootfs.diff.tar": LAYER_TYPE,
};

/** Annotation of a layer's descriptor: the key of its plan, by which the next version's build finds it. */
const LAYER_KEY = "model.kubedl.io/layer";

/** Beginning of our own labels, and a key that OCI reserves. */
const PREFIX = "model.kubedl.io/";
const CREATED = "org.opencontainers.image.created";

const EPOCH = "1970-01-01T00:00:00Z";

/** A layer of the model as it lies in the registry. */
export interface ModelLayer {
  readonly key: string;
  readonly digest: string;
  readonly size: number;
}

/** What an image is made of. */
export interface ModelImageParts {
  /** Absent for a model image that holds nothing else. */
  readonly base: BaseImage | undefined;
  /** `os/architecture` of an image without a base. */
  readonly platform: string;
  readonly layers: readonly ModelLayer[];
  readonly labels: Readonly<Record<string, string>>;
  /** RFC 3339; the epoch when it is not known, since the time of the build would give each attempt another digest. */
  readonly created: string | undefined;
}

/** Text of a JSON blob, and what names it. */
export interface JsonBlob {
  readonly text: string;
  readonly descriptor: Descriptor;
}

/** The image's configuration (OCI image specification, config.md): the base's, with the model's layers and labels. */
export function modelConfig({
  base,
  platform,
  layers,
  labels,
  created,
}: ModelImageParts): JsonBlob {
  const [os, architecture] = platform.split("/");
  const below = base?.config ?? { os, architecture };
  const config = isFields(below["config"]) ? below["config"] : {};
  const { OnBuild: _, ...kept } = config;
  const time = created ?? EPOCH;
  const history = below["history"];
  const text = JSON.stringify({
    ...below,
    created: time,
    config: { ...kept, Labels: { ...labelsBelow(config), ...labels } },
    rootfs: {
      type: "layers",
      diff_ids: [...diffIdsOf(base), ...layers.map(({ digest }) => digest)],
    },
    // A history has an entry for every layer, or is none.
    ...(base === undefined || Array.isArray(history)
      ? {
          history: [...(Array.isArray(history) ? history : []), ...layers.map(() => entryAt(time))],
        }
      : {}),
  });
  return { text, descriptor: describe(text, CONFIG_TYPE) };
}

/** The image's manifest (OCI image specification, manifest.md). */
export function modelManifest({ base, layers }: ModelImageParts, config: Descriptor): JsonBlob {
  const below = (base?.layers ?? []).map(({ mediaType, digest, size }) => ({
    mediaType: OCI_TYPES[mediaType] ?? mediaType,
    digest,
    size,
  }));
  const own = layers.map(({ key, digest, size }) => ({
    mediaType: LAYER_TYPE,
    digest,
    size,
    annotations: { [LAYER_KEY]: key },
  }));
  const text = JSON.stringify({
    schemaVersion: 2,
    mediaType: MANIFEST_TYPE,
    config,
    layers: [...below, ...own],
  });
  return { text, descriptor: describe(text, MANIFEST_TYPE) };
}

/** The layers of an earlier image of ours, by their plans' keys; empty for any other image. */
export function layersByKey({ layers }: ImageManifest): ReadonlyMap<string, Descriptor> {
  return new Map(
    layers.flatMap((layer) => {
      const key = layer.annotations?.[LAYER_KEY];
      return typeof key === "string" ? [[key, layer] as const] : [];
    }),
  );
}

function diffIdsOf(base: BaseImage | undefined): readonly unknown[] {
  if (base === undefined) return [];
  const rootfs = base.config["rootfs"];
  const diffIds: unknown = isFields(rootfs) ? rootfs["diff_ids"] : undefined;
  if (Array.isArray(diffIds) && diffIds.length === base.layers.length) return diffIds;
  throw new RegistryError(
    "invalid",
    `the configuration of the base image ${base.digest} does not name each of its ${base.layers.length} layers`,
  );
}

/** The base's labels, but for those that would say of the model what is true of the base. */
function labelsBelow(config: Fields): Fields {
  const labels = isFields(config["Labels"]) ? config["Labels"] : {};
  return Object.fromEntries(
    Object.entries(labels).filter(([key]) => !key.startsWith(PREFIX) && key !== CREATED),
  );
}

function entryAt(created: string): Fields {
  return { created, created_by: "modelhook build-image" };
}

function describe(text: string, mediaType: string): Descriptor {
  const digest = `sha256:${createHash("sha256").update(text).digest("hex")}`;
  return { mediaType, digest, size: Buffer.byteLength(text) };
}
