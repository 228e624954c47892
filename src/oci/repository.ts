import { createHash } from "node:crypto";
import { isDigest } from "../api/image-ref.ts";
import type { BlobSource } from "./blob-source.ts";
import { openClient } from "./client.ts";
import { apiHost, isDockerHub, type Credentials } from "./credentials.ts";
import {
  labelsOf,
  MANIFEST_TYPES,
  parseConfiguration,
  parseManifest,
  type Descriptor,
} from "./manifest.ts";
import type { JsonBlob } from "./model-image.ts";
import { RegistryError } from "./registry-error.ts";
import { hasBlob, uploadBlob, type Uploaded, type UploadTarget } from "./upload.ts";
import { inTries } from "./tries.ts";
import { drain, readText, textOf } from "./transport.ts";

/** What a registry may answer with for a manifest or a configuration (4 MiB by the specification). */
const MAX_JSON_BYTES = 4 * 1024 * 1024;

/** What a tag or a digest points to, as it came. */
export interface FoundManifest {
  /** `sha256:` and 64 hex digits, computed over the text. */
  readonly digest: string;
  readonly mediaType: string;
  readonly text: string;
}

/** An image that a tag points to. An index or artifact has neither labels nor layers that we read. */
export interface PushedImage {
  /** `sha256:` and 64 hex digits, computed over what came. */
  readonly digest: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Base first. */
  readonly layers: readonly Descriptor[];
}

/** One repository of one registry. Every method throws RegistryError. */
export interface Repository {
  /** The image behind a tag; undefined when there is none. */
  image(tag: string): Promise<PushedImage | undefined>;
  /** The manifest behind a tag or a digest; undefined when there is none. */
  manifest(reference: string): Promise<FoundManifest | undefined>;
  /** A small blob that is text, such as an image's configuration. */
  text(descriptor: Descriptor): Promise<string>;
  /** The bytes of a blob as they come; ends with an error when they are not what the descriptor says. */
  blob(descriptor: Descriptor): AsyncIterable<Uint8Array>;
  /** Begins an upload and gives it up: the registry would take a push. */
  checkPush(): Promise<void>;
  /** True when the repository has the blob. */
  has(digest: string): Promise<boolean>;
  /** Puts a blob here, if it is not here yet, or in the other repository. */
  push(source: BlobSource, options: PushOptions): Promise<Uploaded>;
  /** Puts a manifest behind a tag, whose blobs are all here. */
  pushManifest(
    tag: string,
    manifest: JsonBlob,
    options: Pick<PushOptions, "onRetry">,
  ): Promise<void>;
  close(): Promise<void>;
}

/** How a blob is put into a repository. */
export interface PushOptions {
  /** Repository of the same registry, as images name it, that may have the blob already. */
  readonly from?: string | undefined;
  readonly onRetry: UploadTarget["onRetry"];
}

/** Which repository, and how it may be reached. */
export interface RepositoryOptions {
  /** Host as the image names it; undefined is Docker Hub. */
  readonly registry: string | undefined;
  readonly repository: string;
  readonly credentials: Credentials | undefined;
  /** Hosts (with port) that may have unknown certificates or speak plain HTTP. */
  readonly insecureHosts: readonly string[];
  /** `pull,push` asks token servers for both from the start. */
  readonly access: "pull" | "pull,push";
}

/** Opens the connections to one repository; nothing is sent yet. */
export function openRepository(options: RepositoryOptions): Repository {
  const host = apiHost(options.registry);
  const name = pathOf(host, options.repository);
  const client = openClient({
    host,
    scope: `repository:${name}:${options.access}`,
    credentials: options.credentials,
    insecureHosts: options.insecureHosts,
  });

  async function* blob({ digest, size }: Descriptor): AsyncGenerator<Uint8Array> {
    const response = await client.get(`/v2/${name}/blobs/${digest}`);
    if (response.statusCode !== 200)
      throw await client.refusal(`does not give ${name}@${digest}`, response);
    const hash = createHash("sha256");
    let length = 0;
    try {
      for await (const piece of response.body as AsyncIterable<Uint8Array>) {
        hash.update(piece);
        length += piece.length;
        // What is longer than it may be might never end.
        if (length > size) throw notItsDigest(`${name}@${digest}`);
        yield piece;
      }
    } catch (cause) {
      if (cause instanceof RegistryError) throw cause;
      const message = `${host}: ${name}@${digest} broke off after ${length} of ${size} bytes: ${textOf(cause)}`;
      throw new RegistryError("unreachable", message, { cause });
    }
    if (length !== size || `sha256:${hash.digest("hex")}` !== digest) {
      throw notItsDigest(`${name}@${digest}`);
    }
  }

  async function manifest(reference: string): Promise<FoundManifest | undefined> {
    const response = await client.get(`/v2/${name}/manifests/${reference}`, {
      accept: MANIFEST_TYPES,
    });
    if (response.statusCode === 404) {
      await drain(response);
      return undefined;
    }
    const isByDigest = isDigest(reference);
    const named = `${name}${isByDigest ? "@" : ":"}${reference}`;
    if (response.statusCode !== 200) throw await client.refusal(`does not give ${named}`, response);
    const found = await readText(response, MAX_JSON_BYTES);
    const digest = `sha256:${createHash("sha256").update(found).digest("hex")}`;
    if (isByDigest && digest !== reference) throw notItsDigest(named);
    const mediaType = String(response.headers["content-type"] ?? "").split(";")[0] ?? "";
    return { digest, mediaType, text: found };
  }

  async function text(descriptor: Descriptor): Promise<string> {
    const pieces: Uint8Array[] = [];
    if (descriptor.size > MAX_JSON_BYTES) {
      throw new RegistryError("invalid", `${host}: the configuration of ${name} is too long`);
    }
    for await (const piece of blob(descriptor)) pieces.push(piece);
    return Buffer.concat(pieces).toString();
  }

  async function putManifest(tag: string, { text: content, descriptor }: JsonBlob): Promise<void> {
    const response = await client.send("PUT", `/v2/${name}/manifests/${tag}`, {
      headers: { "content-type": descriptor.mediaType },
      body: () => content,
    });
    if (response.statusCode !== 201) {
      throw await client.refusal(`does not take the manifest of ${name}:${tag}`, response);
    }
    await drain(response);
  }

  function notItsDigest(named: string): RegistryError {
    return new RegistryError(
      "invalid",
      `${host}: the content of ${named} is not what its digest says`,
    );
  }

  return {
    blob,
    manifest,
    text,
    async image(tag) {
      const found = await manifest(tag);
      if (found === undefined) return undefined;
      const image = parseManifest(found.text, found.mediaType);
      if (image === undefined) return { digest: found.digest, labels: {}, layers: [] };
      const labels = labelsOf(parseConfiguration(await text(image.config)));
      return { digest: found.digest, labels, layers: image.layers };
    },
    async checkPush() {
      const response = await client.post(`/v2/${name}/blobs/uploads/`);
      if (response.statusCode !== 202) {
        const refusal = await client.refusal(`takes no push to ${name}`, response);
        // A registry that makes no repositories by itself says 404.
        if (refusal.fault === "unreachable") throw refusal;
        throw new RegistryError("denied", refusal.message);
      }
      await drain(response);
      const { location } = response.headers;
      if (location !== undefined) await client.forget(String(location));
    },
    has: async (digest) => hasBlob({ client, repository: name }, digest),
    async push(source, { from, onRetry }) {
      const mountFrom = from === undefined ? undefined : pathOf(host, from);
      return uploadBlob(source, { client, repository: name, mountFrom, onRetry });
    },
    async pushManifest(tag, manifestOfTag, { onRetry }) {
      // All blobs are here: another attempt of the build would read the whole model for this one request.
      await inTries(() => putManifest(tag, manifestOfTag), { onRetry, closed: client.closed });
    },
    close: () => client.close(),
  };
}

/** Docker Hub's own images have no name before the slash. */
function pathOf(host: string, repository: string): string {
  return isDockerHub(host) && !repository.includes("/") ? `library/${repository}` : repository;
}
