import { isFields, type Fields } from "../api/fields.ts";
import { RegistryError } from "./registry-error.ts";

/** A blob as manifests name it. */
export interface Descriptor {
  readonly mediaType: string;
  /** `sha256:` and 64 hex digits. */
  readonly digest: string;
  readonly size: number;
  readonly annotations?: Fields;
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

/** An image of an index. */
export interface IndexEntry {
  readonly digest: string;
  /** `os/architecture`. */
  readonly platform: string;
}

/** Reads a manifest; undefined for anything else that a tag can point to: an index, an artifact, an ancient schema. */
export function parseManifest(text: string, mediaType: string): ImageManifest | undefined {
  const manifest = parseObject(text, "the manifest");
  const { config, layers } = manifest;
  if (!IMAGES.includes(typeOf(manifest, mediaType)) || !isDescriptor(config)) return undefined;
  return isDescriptors(layers) ? { config, layers } : undefined;
}

/** Reads the images of an index, in their order; undefined for anything else. What names no platform is for linux/amd64, as kaniko has it. */
export function parseIndex(text: string, mediaType: string): readonly IndexEntry[] | undefined {
  const index = parseObject(text, "the manifest");
  const { manifests } = index;
  if (!INDEXES.includes(typeOf(index, mediaType)) || !isDescriptors(manifests)) return undefined;
  return manifests.map((entry) => ({ digest: entry.digest, platform: platformOf(entry) }));
}

/** Reads an image's configuration. */
export function parseConfiguration(text: string): Fields {
  return parseObject(text, "the image's configuration");
}

/** The labels in an image's configuration; empty when it has none. */
export function labelsOf({ config }: Fields): Readonly<Record<string, string>> {
  const labels = isFields(config) ? config["Labels"] : undefined;
  if (!isFields(labels)) return {};
  return Object.fromEntries(
    Object.entries(labels).filter(
      (entry): entry is [string, string] => typeof entry[1] === "string",
    ),
  );
}

function parseObject(text: string, what: string): Fields {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new RegistryError("invalid", `${what} is not JSON`, { cause });
  }
  if (!isFields(value)) throw new RegistryError("invalid", `${what} is not an object`);
  return value;
}

/** A manifest's own word counts more than the header that it came with. */
function typeOf(manifest: Fields, mediaType: string): string {
  return typeof manifest["mediaType"] === "string" ? manifest["mediaType"] : mediaType;
}

function platformOf({ platform }: Descriptor & { readonly platform?: unknown }): string {
  if (!isFields(platform)) return "linux/amd64";
  return `${String(platform["os"])}/${String(platform["architecture"])}`;
}

function isDescriptors(value: unknown): value is readonly Descriptor[] {
  return Array.isArray(value) && value.every((each) => isDescriptor(each));
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
