import { createHash } from "node:crypto";
import { openClient } from "./client.ts";
import { apiHost, isDockerHub, type Credentials } from "./credentials.ts";
import { MANIFEST_TYPES, parseLabels, parseManifest, type Descriptor } from "./manifest.ts";
import { RegistryError } from "./registry-error.ts";
import { drain, readText, textOf } from "./transport.ts";

/** What a registry may answer with for a manifest or a configuration (4 MiB by the specification). */
const MAX_JSON_BYTES = 4 * 1024 * 1024;

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
  /** The bytes of a blob as they come; ends with an error when they are not what the descriptor says. */
  blob(descriptor: Descriptor): AsyncIterable<Uint8Array>;
  /** Begins an upload and gives it up: the registry would take a push. */
  checkPush(): Promise<void>;
  close(): Promise<void>;
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
  const name =
    isDockerHub(host) && !options.repository.includes("/")
      ? `library/${options.repository}`
      : options.repository;
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
        yield piece;
      }
    } catch (cause) {
      const message = `${host}: ${name}@${digest} broke off after ${length} of ${size} bytes: ${textOf(cause)}`;
      throw new RegistryError("unreachable", message, { cause });
    }
    if (length !== size || `sha256:${hash.digest("hex")}` !== digest) {
      throw new RegistryError(
        "invalid",
        `${host}: the content of ${name}@${digest} is not what its digest says`,
      );
    }
  }

  return {
    blob,
    async image(tag) {
      const response = await client.get(`/v2/${name}/manifests/${tag}`, { accept: MANIFEST_TYPES });
      if (response.statusCode === 404) {
        await drain(response);
        return undefined;
      }
      if (response.statusCode !== 200)
        throw await client.refusal(`does not give ${name}:${tag}`, response);
      const text = await readText(response, MAX_JSON_BYTES);
      const digest = `sha256:${createHash("sha256").update(text).digest("hex")}`;
      const type = String(response.headers["content-type"] ?? "").split(";")[0] ?? "";
      const manifest = parseManifest(text, type);
      if (manifest === undefined) return { digest, labels: {}, layers: [] };
      const labels = parseLabels(await textOfBlob(manifest.config));
      return { digest, labels, layers: manifest.layers };
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
    close: () => client.close(),
  };

  async function textOfBlob(descriptor: Descriptor): Promise<string> {
    const pieces: Uint8Array[] = [];
    if (descriptor.size > MAX_JSON_BYTES) {
      throw new RegistryError("invalid", `${host}: the configuration of ${name} is too long`);
    }
    for await (const piece of blob(descriptor)) pieces.push(piece);
    return Buffer.concat(pieces).toString();
  }
}
