import { createHash } from "node:crypto";
import type { Dispatcher } from "undici";
import { authorization } from "./authorization.ts";
import type { Credentials } from "./credentials.ts";
import { apiHost, isDockerHub } from "./credentials.ts";
import { MANIFEST_TYPES, parseLabels, parseManifest, type Descriptor } from "./manifest.ts";
import { errorText, faultOfStatus, RegistryError } from "./registry-error.ts";
import { drain, openTransport, readText, textOf, type HttpRequest } from "./transport.ts";

/** What a registry may answer with for a manifest or a configuration (4 MiB by the specification). */
const MAX_JSON_BYTES = 4 * 1024 * 1024;
const MAX_REDIRECTS = 5;

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
  const scope = `repository:${name}:${options.access}`;
  const transport = openTransport(options.insecureHosts);
  const auth = authorization(transport, host, options.credentials);
  let origin: Promise<URL> | undefined;

  /** Sends with what authorization there is, and once more when the registry asks for other. */
  async function send(
    method: HttpRequest["method"],
    path: string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Dispatcher.ResponseData> {
    origin ??= transport.origin(host);
    const url = new URL(path, await origin);
    const attempt = async (): Promise<Dispatcher.ResponseData> => {
      const header = auth.header();
      // Only the registry itself is told who asks: a location that it names may be anywhere.
      const own = url.host === new URL((await origin) ?? url).host && header !== undefined;
      return transport.send({
        method,
        url,
        headers: { ...headers, ...(own ? { authorization: header } : {}) },
      });
    };
    const response = await attempt();
    if (response.statusCode !== 401) return response;
    await drain(response);
    const challenge = response.headers["www-authenticate"];
    await auth.answer(Array.isArray(challenge) ? challenge.join(", ") : challenge, scope);
    return attempt();
  }

  /** A GET that follows redirects, as blob stores behind registries want. */
  async function get(
    path: string,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Dispatcher.ResponseData> {
    let response = await send("GET", path, headers);
    let url = new URL(path, await origin);
    for (let hop = 0; hop < MAX_REDIRECTS && isRedirect(response); hop++) {
      await drain(response);
      const { location } = response.headers;
      url = new URL(String(location), url);
      response = await transport.send({ method: "GET", url, headers: headers ?? {} });
    }
    return response;
  }

  async function refuse(what: string, response: Dispatcher.ResponseData): Promise<never> {
    const text = errorText(await readText(response, MAX_JSON_BYTES));
    const message = `${host} ${what} (status ${response.statusCode}): ${text}`;
    throw new RegistryError(faultOfStatus(response.statusCode), message);
  }

  async function* blob({ digest, size }: Descriptor): AsyncGenerator<Uint8Array> {
    const response = await get(`/v2/${name}/blobs/${digest}`);
    if (response.statusCode !== 200) await refuse(`does not give ${name}@${digest}`, response);
    const hash = createHash("sha256");
    let length = 0;
    try {
      for await (const piece of response.body as AsyncIterable<Uint8Array>) {
        hash.update(piece);
        length += piece.length;
        yield piece;
      }
    } catch (cause) {
      if (cause instanceof RegistryError) throw cause;
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
      const response = await get(`/v2/${name}/manifests/${tag}`, { accept: MANIFEST_TYPES });
      if (response.statusCode === 404) {
        await drain(response);
        return undefined;
      }
      if (response.statusCode !== 200) await refuse(`does not give ${name}:${tag}`, response);
      const text = await readText(response, MAX_JSON_BYTES);
      const digest = `sha256:${createHash("sha256").update(text).digest("hex")}`;
      const type = String(response.headers["content-type"] ?? "").split(";")[0] ?? "";
      const manifest = parseManifest(text, type);
      if (manifest === undefined) return { digest, labels: {}, layers: [] };
      const labels = parseLabels(await textOfBlob(manifest.config));
      return { digest, labels, layers: manifest.layers };
    },
    async checkPush() {
      const response = await send("POST", `/v2/${name}/blobs/uploads/`, { "content-length": "0" });
      if (response.statusCode !== 202) {
        // A registry that makes no repositories by itself says 404.
        const text = errorText(await readText(response, MAX_JSON_BYTES));
        const fault = faultOfStatus(response.statusCode);
        const message = `${host} takes no push to ${name} (status ${response.statusCode}): ${text}`;
        throw new RegistryError(fault === "unreachable" ? fault : "denied", message);
      }
      await drain(response);
      const { location } = response.headers;
      if (location === undefined) return;
      // Some registries can not cancel, or answer oddly; they forget the upload after a while.
      const url = new URL(String(location), await origin);
      await send("DELETE", url.href).then(drain, () => undefined);
    },
    close: () => transport.close(),
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

function isRedirect({ statusCode, headers }: Dispatcher.ResponseData): boolean {
  return [301, 302, 303, 307, 308].includes(statusCode) && headers.location !== undefined;
}
