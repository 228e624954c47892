/** A reference by the grammar of the distribution project: `[registry/]repository[:tag][@digest]`. */
export interface ImageRef {
  /** Host, with its port, as written; absent when the reference names none (Docker Hub). */
  readonly registry?: string;
  /** Path below the registry. */
  readonly repository: string;
  readonly tag?: string;
  /** `sha256:` and 64 hex digits. */
  readonly digest?: string;
}

const COMPONENT = /[a-z0-9]+(?:(?:[.]|_|__|-+)[a-z0-9]+)*/.source;
const HOST =
  /(?:[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:[.][a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*|\[[0-9a-f:]+\])(?::[1-9][0-9]{0,4})?/
    .source;
const PATH = `(?:${HOST}/)?${COMPONENT}(?:/${COMPONENT})*`;
const IS_COMPONENT = new RegExp(`^${COMPONENT}$`);
const IS_HOST = new RegExp(`^${HOST}$`);
const DIGEST = /^sha256:[0-9a-f]{64}$/;

/** What a tag of the distribution specification looks like. */
export const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
/** What a repository looks like, `[registry/]path`, without tag and digest; its length aside. */
export const REPOSITORY = new RegExp(`^${PATH}$`);
/** What a reference looks like, `[registry/]path[:tag][@digest]`; the length of its repository aside. */
export const IMAGE = new RegExp(
  `^${PATH}(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(?:@sha256:[0-9a-f]{64})?$`,
);

/** Fault of a text that is no repository. */
export const NOT_REPOSITORY =
  "is not a repository: lower case registry/path, such as registry.example/team/model";
/** Fault of a repository with a tag. */
export const HAS_TAG = "has a tag; put it into imageTag";
/** Fault of a repository with a digest. */
export const HAS_DIGEST = "has a digest; only a build knows it";
/** Fault of a text that is no tag. */
export const NOT_TAG =
  'is not a tag: at most 128 letters, digits, "_", "." and "-", not beginning with "." or "-"';
/** Fault of a text that is no image. */
export const NOT_IMAGE = "is not an image reference: lower case registry/path:tag";

/** Longest repository name, registry included (distribution specification). */
const MAX_REPOSITORY = 255;

/** True for a tag of the distribution specification. */
export function isTag(text: string): boolean {
  return TAG.test(text);
}

/** True for `sha256:` and 64 lower case hex digits. */
export function isDigest(text: string): boolean {
  return DIGEST.test(text);
}

/** Reads a reference; undefined when it is none. Capitals are refused, in hosts too. */
export function parseImageRef(text: string): ImageRef | undefined {
  const [named, digest, ...more] = text.split("@");
  if (named === undefined || more.length > 0 || (digest !== undefined && !isDigest(digest)))
    return undefined;
  const colon = named.lastIndexOf(":");
  const hasTag = colon > named.lastIndexOf("/");
  const tag = hasTag ? named.slice(colon + 1) : undefined;
  if (tag !== undefined && !isTag(tag)) return undefined;
  const name = hasTag ? named.slice(0, colon) : named;
  if (name.length > MAX_REPOSITORY) return undefined;
  const parts = name.split("/");
  const first = parts[0] ?? "";
  const isHost = parts.length > 1 && (/[.:]/.test(first) || first === "localhost");
  if (isHost && !IS_HOST.test(first)) return undefined;
  const path = isHost ? parts.slice(1) : parts;
  if (path.length === 0 || !path.every((part) => IS_COMPONENT.test(part))) return undefined;
  return {
    ...(isHost ? { registry: first } : {}),
    repository: path.join("/"),
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
  };
}

/** Docker Hub by the names that it has; `modelhub/resnet` without a registry is there, too. */
const DOCKER_HUB = new Set(["docker.io", "index.docker.io", "registry-1.docker.io"]);

/** One text for all the ways to name the same registry: Docker Hub's names, the port of HTTPS. */
export function registryOf(host: string): string {
  const name = host.replace(/:443$/, "");
  return DOCKER_HUB.has(name) ? "docker.io" : name;
}

/** One text for all the ways to name the same image: a registry that is left out, Docker Hub's names, the port of HTTPS. */
export function canonicalImage(image: string): string {
  const ref = parseImageRef(image);
  if (ref === undefined) return image;
  const registry = registryOf(ref.registry ?? "docker.io");
  const isHub = registry === "docker.io";
  const path =
    isHub && !ref.repository.includes("/") ? `library/${ref.repository}` : ref.repository;
  const tag = ref.tag === undefined ? "" : `:${ref.tag}`;
  const digest = ref.digest === undefined ? "" : `@${ref.digest}`;
  return `${registry}/${path}${tag}${digest}`;
}

/** `repo@digest`: what a pod runs, whatever happens to the tag. */
export function pinned(imageRepo: string, digest: string): string {
  return `${imageRepo}@${digest}`;
}

/** Repository of an image as written, without its tag and digest. */
export function repositoryOf(image: string): string {
  const named = image.split("@")[0] ?? image;
  const colon = named.lastIndexOf(":");
  return colon > named.lastIndexOf("/") ? named.slice(0, colon) : named;
}

/** A digest that no image has: what a gated pod holds until its version is built. */
export const ZERO_DIGEST = `sha256:${"0".repeat(64)}`;
