import { isFields } from "../api/fields.ts";
import { RegistryError } from "./registry-error.ts";

/** A blob as manifests name it. */
export interface Descriptor {
  readonly mediaType: string;
  /** `sha256:` and 64 hex digits. */
  readonly digest: string;
  readonly size: number;
}

/** The manifest of an image for one platform. */
export interface ImageManifest {
  readonly config: Descriptor;
  /** Base first. */
  readonly layers: readonly Descriptor[];
}

const IMAGES = [
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.v2+json",
];

const INDEXES = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
];

/** What the `accept` header of a request for a manifest lists. */
export const MANIFEST_TYPES = [...IMAGES, ...INDEXES].join(", ");

/** Reads a manifest; undefined for anything else that a tag can point to: an index, an artifact, an ancient schema. */
export function parseManifest(text: string, mediaType: string): ImageManifest | undefined {
  let manifest: unknown;
  try {
    manifest = JSON.parse(text);
  } catch (cause) {
    throw new RegistryError("invalid", "the manifest is not JSON", { cause });
  }
  if (!isFields(manifest)) throw new RegistryError("invalid", "the manifest is not an object");
  const type = typeof manifest["mediaType"] === "string" ? manifest["mediaType"] : mediaType;
  const { config, layers } = manifest;
  if (!IMAGES.includes(type) || !isDescriptor(config) || !Array.isArray(layers)) return undefined;
  return layers.every((layer) => isDescriptor(layer)) ? { config, layers } : undefined;
}

/** The labels in an image's configuration; empty when it has none. */
export function parseLabels(text: string): Readonly<Record<string, string>> {
  let image: unknown;
  try {
    image = JSON.parse(text);
  } catch (cause) {
    throw new RegistryError("invalid", "the image's configuration is not JSON", { cause });
  }
  const config = isFields(image) ? image["config"] : undefined;
  const labels = isFields(config) ? config["Labels"] : undefined;
  if (!isFields(labels)) return {};
  return Object.fromEntries(
    Object.entries(labels).filter(
      (entry): entry is [string, string] => typeof entry[1] === "string",
    ),
  );
}

function isDescriptor(value: unknown): value is Descriptor {
  if (!isFields(value)) return false;
  const { mediaType, digest, size } = value;
  return (
    typeof mediaType === "string" &&
    typeof digest === "string" &&
    /^sha256:[0-9a-f]{64}$/.test(digest) &&
    Number.isSafeInteger(size) &&
    Number(size) >= 0
  );
}
