import type { Dispatcher } from "undici";
import { authorization } from "./authorization.ts";
import type { Credentials } from "./credentials.ts";
import { errorText, faultOfStatus, RegistryError, retryAfterMs } from "./registry-error.ts";
import { drain, openTransport, readText, type HttpRequest } from "./transport.ts";

const MAX_REDIRECTS = 5;
const MAX_REFUSAL_BYTES = 64 * 1024;

type Headers = Readonly<Record<string, string>>;

const NOTHING: Content = { headers: { "content-length": "0" } };

/** What a request carries. */
interface Content {
  readonly headers: Headers;
  readonly body?: () => string | AsyncIterable<Uint8Array>;
  /** Rights that this request needs besides the client's, as scopes of tokens. */
  readonly besides?: readonly string[];
}

/** The API of one registry, for one scope. Every method throws RegistryError when there is no answer at all. */
export interface RegistryClient {
  /** Follows redirects, as blob stores behind registries want. */
  get(path: string, headers?: Headers): Promise<Dispatcher.ResponseData>;
  /** Sends something to a path or to a location that the registry named; `body` is asked for anew when it has to be sent again. */
  send(
    method: "HEAD" | "POST" | "PUT" | "PATCH",
    location: string,
    content?: Content,
  ): Promise<Dispatcher.ResponseData>;
  /** Posts nothing. */
  post(path: string): Promise<Dispatcher.ResponseData>;
  /** Deletes what lies at a location that the registry named, if it lets us. */
  forget(location: string): Promise<void>;
  /** The error of an answer that is not the one that was wanted; reads the registry's words. */
  refusal(what: string, response: Dispatcher.ResponseData): Promise<RegistryError>;
  /** Aborted when the client is closed. */
  readonly closed: AbortSignal;
  close(): Promise<void>;
}

/** Which registry, and as whom. */
export interface ClientOptions {
  /** Host that serves the API, with its port. */
  readonly host: string;
  /** What tokens are asked for, such as `repository:models/digits:pull,push`. */
  readonly scope: string;
  readonly credentials: Credentials | undefined;
  readonly insecureHosts: readonly string[];
}

/** Opens the connections to a registry; nothing is sent yet. */
export function openClient({
  host,
  scope,
  credentials,
  insecureHosts,
}: ClientOptions): RegistryClient {
  const transport = openTransport(insecureHosts);
  const closing = new AbortController();
  const auth = authorization(transport, host, credentials);
  let origin: Promise<URL> | undefined;

  async function at(path: string): Promise<URL> {
    origin ??= transport.origin(host);
    return new URL(path, await origin);
  }

  /** Sends with what authorization there is; only the registry itself is told who asks. */
  async function sendOnce(
    method: HttpRequest["method"],
    url: URL,
    { headers, body }: Content,
  ): Promise<Dispatcher.ResponseData> {
    const header = url.origin === (await at("/")).origin ? auth.header() : undefined;
    return transport.send({
      method,
      url,
      headers: { ...headers, ...(header === undefined ? {} : { authorization: header }) },
      ...(body === undefined ? {} : { body: body() }),
    });
  }

  /** Sends, and once more when the registry asks for other authorization; nobody else is told who we are, whatever he asks. */
  async function send(
    method: HttpRequest["method"],
    url: URL,
    content: Content,
  ): Promise<Dispatcher.ResponseData> {
    const response = await sendOnce(method, url, content);
    if (response.statusCode !== 401 || url.origin !== (await at("/")).origin) return response;
    await drain(response);
    const challenge = response.headers["www-authenticate"];
    await auth.answer(Array.isArray(challenge) ? challenge.join(", ") : challenge, [
      scope,
      ...(content.besides ?? []),
    ]);
    return sendOnce(method, url, content);
  }

  return {
    send: async (method, location, content = NOTHING) => send(method, await at(location), content),
    async get(path, headers = {}) {
      let url = await at(path);
      let response = await send("GET", url, { headers });
      for (let hop = 0; hop < MAX_REDIRECTS && isRedirect(response); hop++) {
        await drain(response);
        url = new URL(String(response.headers.location), url);
        response = await sendOnce("GET", url, { headers });
      }
      return response;
    },
    async post(path) {
      return send("POST", await at(path), NOTHING);
    },
    async forget(location) {
      // Some registries can not, or want more rights for it than a push takes.
      await sendOnce("DELETE", await at(location), { headers: {} }).then(drain, () => undefined);
    },
    async refusal(what, response) {
      const text = errorText(await readText(response, MAX_REFUSAL_BYTES));
      const message = `${host} ${what} (status ${response.statusCode}): ${text}`;
      return new RegistryError(faultOfStatus(response.statusCode), message, {
        retryAfterMs: retryAfterMs(response.headers["retry-after"]),
      });
    },
    closed: closing.signal,
    async close() {
      closing.abort();
      await transport.close();
    },
  };
}

function isRedirect({ statusCode, headers }: Dispatcher.ResponseData): boolean {
  return [301, 302, 303, 307, 308].includes(statusCode) && headers.location !== undefined;
}
