import { Agent, buildConnector, type Dispatcher } from "undici";
import {
  kubeconfigCredentials,
  serviceAccountCredentials,
  type Credentials,
} from "./credentials.ts";
import { explainFailure, readAnswer } from "./answer.ts";
import { startDeadline, type Deadline } from "./deadline.ts";

/** Query parameters; absent ones are left out. */
type Query = Readonly<Record<string, string | number | boolean | undefined>>;

/** One request; `timeoutMs` (30 s by default) bounds the whole of it, answer included. */
export interface RequestOptions {
  readonly query?: Query;
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly contentType?: string;
  readonly accept?: string;
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number;
}

/** The one door to the API server; every caller shares its connections. */
export interface ApiServer {
  readonly url: string;
  /** Answers the decoded JSON; throws ApiError for a refusal, ConnectionError without an answer, the signal's reason when aborted. */
  request<T>(method: Dispatcher.HttpMethod, path: string, options?: RequestOptions): Promise<T>;
  /** Opens a watch: resolves when the server has agreed, then gives its bytes until either side ends. Throws as `request` does. */
  stream(
    path: string,
    query: Query,
    signal: AbortSignal,
    accept?: string,
  ): Promise<AsyncIterable<Uint8Array>>;
  /** Breaks every connection; what is under way fails. */
  close(): Promise<void>;
}

/** Which cluster: a kubeconfig, or the pod's own service account. Without either kubectl's default kubeconfig. */
export interface ConnectOptions {
  readonly kubeconfigPath?: string;
  readonly context?: string;
  /** Set inside a pod; `directory` is where the service account is mounted when that is not the usual place. */
  readonly inCluster?: { readonly server: string; readonly directory?: string };
}

const REQUEST_TIMEOUT_MS = 30_000;

/** Opens the shared connection pool; no byte is sent yet. Throws when the kubeconfig cannot be used. */
export async function connect(options: ConnectOptions = {}): Promise<ApiServer> {
  const { kubeconfigPath: path, context, inCluster } = options;
  return openApiServer(
    inCluster === undefined
      ? await kubeconfigCredentials({
          ...(path === undefined ? {} : { path }),
          ...(context === undefined ? {} : { context }),
        })
      : serviceAccountCredentials(inCluster),
  );
}

/** The pool behind `connect`, for credentials that are already known. */
export function openApiServer(credentials: Credentials): ApiServer {
  const url = credentials.server.replace(/\/+$/, "");
  const { origin, pathname } = new URL(url);
  const base = pathname === "/" ? "" : pathname;
  const agent = new Agent({
    connect: (target, callback) => void openSocket(credentials, target, callback),
    // One socket for each watch, so that one broken connection blinds one watch only; HTTP/2 would share it.
    allowH2: false,
    // The server closes idle connections after 90 s; closing first avoids a write that races with its end.
    keepAliveTimeout: 60_000,
    keepAliveMaxTimeout: 60_000,
  });

  async function send(
    method: Dispatcher.HttpMethod,
    path: string,
    options: RequestOptions,
    signal: AbortSignal,
  ): Promise<Dispatcher.ResponseData> {
    return agent.request({
      origin,
      method,
      path: base + path + queryString(options.query ?? {}),
      headers: {
        ...(await credentials.headers()),
        accept: options.accept ?? "application/json",
        "user-agent": "modelhook",
        ...(options.body === undefined
          ? {}
          : { "content-type": options.contentType ?? "application/json" }),
      },
      body: options.body === undefined ? null : JSON.stringify(options.body),
      signal,
      // Requests are bounded as a whole, watches by their reader's stall timer.
      bodyTimeout: 0,
      headersTimeout: 0,
    });
  }

  return {
    url,
    async request<T>(
      method: Dispatcher.HttpMethod,
      path: string,
      options: RequestOptions = {},
    ): Promise<T> {
      const name = `${method} ${path}`;
      const deadline = startDeadline(options.timeoutMs ?? REQUEST_TIMEOUT_MS, options.signal);
      try {
        const response = await send(method, path, options, deadline.signal);
        return (await readAnswer(name, response)) as T;
      } catch (error) {
        throw explainFailure(name, error, deadline.signal);
      } finally {
        deadline.end();
      }
    },
    async stream(path, query, signal, accept) {
      const name = `GET ${path}`;
      const deadline = startDeadline(REQUEST_TIMEOUT_MS, signal);
      try {
        const options = { query, ...(accept === undefined ? {} : { accept }) };
        const response = await send("GET", path, options, deadline.signal);
        if (response.statusCode !== 200) await readAnswer(name, response);
        deadline.disarm();
        return chunks(name, response.body, deadline);
      } catch (error) {
        deadline.end();
        throw explainFailure(name, error, deadline.signal);
      }
    },
    async close() {
      await agent.destroy();
    },
  };
}

async function* chunks(
  name: string,
  body: AsyncIterable<Uint8Array>,
  deadline: Deadline,
): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (error) {
    throw explainFailure(name, error, deadline.signal);
  } finally {
    deadline.end();
  }
}

/** Reads certificates for each new connection; undici's own connector keeps those it was made with. */
async function openSocket(
  credentials: Credentials,
  ...[options, callback]: Parameters<buildConnector.connector>
): Promise<void> {
  try {
    const open = buildConnector({
      ...(await credentials.tls()),
      allowH2: false,
      timeout: 10_000,
      // With the kernel's ten probes, one a second, a vanished peer is noticed within 30 s.
      keepAlive: true,
      keepAliveInitialDelay: 15_000,
    });
    open(options, callback);
  } catch (error) {
    callback(error as Error, null);
  }
}

function queryString(query: Query): string {
  const given = Object.entries(query).flatMap(([key, value]) =>
    value === undefined ? [] : [[key, String(value)] as [string, string]],
  );
  return given.length === 0 ? "" : `?${new URLSearchParams(given).toString()}`;
}
