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

const COMPONENT = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const HOST =
  /^(?:[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*|\[[0-9a-f:]+\])(?::[0-9]{1,5})?$/;
const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const DIGEST = /^sha256:[0-9a-f]{64}$/;

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
  if (isHost && !HOST.test(first)) return undefined;
  const path = isHost ? parts.slice(1) : parts;
  if (path.length === 0 || !path.every((part) => COMPONENT.test(part))) return undefined;
  return {
    ...(isHost ? { registry: first } : {}),
    repository: path.join("/"),
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
  };
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
