import type { Readable } from "node:stream";
import { Agent, type Dispatcher } from "undici";
import { RegistryError } from "./registry-error.ts";

const CONNECT_TIMEOUT_MS = 10_000;
const HEADERS_TIMEOUT_MS = 30_000;
/** Silence while a body is sent, and until it is answered: whoever stores it may have to move it first. */
const STORED_TIMEOUT_MS = 120_000;
/** Silence between two pieces of a body. */
const BODY_TIMEOUT_MS = 60_000;

/** One HTTP request; redirects are the caller's. */
export interface HttpRequest {
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  /** A stream is read as fast as the peer takes it; each piece is free again when the next is asked for. */
  readonly body?: string | AsyncIterable<Uint8Array>;
}

/** Connections to registries and their token servers. */
export interface Transport {
  /** Sends one request; throws RegistryError `unreachable` without an answer, `denied` for plain HTTP that nobody allowed. */
  send(request: HttpRequest): Promise<Dispatcher.ResponseData>;
  /** The URL of a host's root: https, and for a listed host that does not speak it, http. */
  origin(host: string): Promise<URL>;
  close(): Promise<void>;
}

/** Opens the connection pool; `insecureHosts` alone may have unknown certificates or speak plain HTTP. */
export function openTransport(insecureHosts: readonly string[]): Transport {
  const listed = new Set(
    insecureHosts.flatMap((host) => [hostOf("https", host), hostOf("http", host)]),
  );
  const strict = newAgent(true);
  const lax = newAgent(false);

  async function send({
    method,
    url,
    headers,
    body,
  }: HttpRequest): Promise<Dispatcher.ResponseData> {
    const isListed = listed.has(url.host);
    if (url.protocol !== "https:" && !isListed) {
      const message = `${url.host} is to be reached by ${url.protocol}//, which the administrator has not allowed (insecureRegistries)`;
      throw new RegistryError("denied", message);
    }
    try {
      return await (isListed ? lax : strict).request({
        origin: url.origin,
        path: url.pathname + url.search,
        method,
        headers: { "user-agent": "modelhook", ...headers },
        // Any iterable is taken; the types know of some only.
        body: (body ?? null) as Readable | string | null,
        ...(method === "PATCH" || method === "PUT" ? { headersTimeout: STORED_TIMEOUT_MS } : {}),
      });
    } catch (cause) {
      throw new RegistryError(
        "unreachable",
        `${method} ${url.origin}${url.pathname}: ${textOf(cause)}`,
        { cause },
      );
    }
  }

  async function origin(host: string): Promise<URL> {
    const https = new URL(`https://${host}/`);
    if (!listed.has(https.host)) return https;
    try {
      await drain(await send({ method: "GET", url: new URL("/v2/", https) }));
      return https;
    } catch (error) {
      if (!isNoTls(error)) throw error;
      return new URL(`http://${host}/`);
    }
  }

  return {
    send,
    origin,
    async close() {
      await Promise.all([strict.destroy(), lax.destroy()]);
    },
  };
}

/** Reads a whole body as text; throws RegistryError `invalid` when it is longer than allowed. */
export async function readText(response: Dispatcher.ResponseData, limit: number): Promise<string> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const piece of response.body as AsyncIterable<Uint8Array>) {
      length += piece.length;
      if (length > limit) break;
      pieces.push(piece);
    }
  } catch (cause) {
    throw new RegistryError("unreachable", `the answer broke off: ${textOf(cause)}`, { cause });
  }
  if (length > limit) {
    throw new RegistryError("invalid", `the answer is longer than ${limit} bytes`);
  }
  return Buffer.concat(pieces).toString();
}

/** Throws a body away, so that its connection can be used again. */
export async function drain(response: Dispatcher.ResponseData): Promise<void> {
  await response.body.dump();
}

/** The words of an error and of what caused it, each once. */
export function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // A refused connection to several addresses is an AggregateError without words.
  const inner = error instanceof AggregateError ? (error.errors[0] as unknown) : error.cause;
  const text = error.message;
  if (inner === undefined) return text;
  return text === "" ? textOf(inner) : `${text}: ${textOf(inner)}`;
}

function newAgent(rejectUnauthorized: boolean): Agent {
  return new Agent({
    connect: { rejectUnauthorized, timeout: CONNECT_TIMEOUT_MS },
    headersTimeout: HEADERS_TIMEOUT_MS,
    bodyTimeout: BODY_TIMEOUT_MS,
    allowH2: false,
  });
}

/** The peer does not speak TLS: it answers with something else, or hangs up. */
function isNoTls(error: unknown): boolean {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "EPROTO" || code === "ECONNRESET" || code?.startsWith("ERR_SSL_") === true) {
      return true;
    }
  }
  return false;
}

/** URLs leave the default port of their scheme out. */
function hostOf(scheme: "https" | "http", host: string): string {
  return new URL(`${scheme}://${host}/`).host;
}
