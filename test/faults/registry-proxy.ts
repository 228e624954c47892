import { once } from "node:events";
import {
  createServer,
  request as forward,
  type ClientRequest,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";

/** What happens to a request on its way to a registry. */
export type RegistryFault =
  /** An answer that is not the registry's, which sees nothing of the request. */
  | {
      readonly kind: "answer";
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** Both sides lose the connection when so many bytes of the body have passed. */
  | { readonly kind: "reset"; readonly afterBytes: number }
  /** So many bytes of the body pass, then nothing more, and nobody is told. */
  | { readonly kind: "stall"; readonly afterBytes: number }
  /** The registry does it, but its answer is lost in a reset. */
  | { readonly kind: "lose-answer" }
  /** One byte of the body arrives as another. */
  | { readonly kind: "spoil" }
  /** Waits when so many bytes of the body have passed. */
  | { readonly kind: "hold"; readonly afterBytes: number; readonly until: () => Promise<unknown> };

/** A request that has come to the proxy. */
export interface SeenRequest {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  /** Bytes of its body that have come so far. */
  bytes: number;
  /** Of the answer that was passed on; 0 until then. */
  status: number;
}

/** A proxy on 127.0.0.1 before a registry that speaks plain HTTP. */
export interface RegistryProxy {
  /** Host and port, as images name it. */
  readonly host: string;
  /** Every request so far, faults included. */
  readonly seen: readonly SeenRequest[];
  /** The next `times` requests that match (default 1) meet the fault; the answer says how many have so far. */
  fault(
    match: (request: SeenRequest) => boolean,
    fault: RegistryFault,
    times?: number,
  ): () => number;
  /** Forgets what was seen, and all faults. */
  clear(): void;
  stop(): Promise<void>;
}

interface Rule {
  readonly match: (request: SeenRequest) => boolean;
  readonly fault: RegistryFault;
  left: number;
  hits: number;
}

/** Matches the requests that carry the content of a blob. */
export function isContent({ method }: SeenRequest): boolean {
  return method === "PATCH";
}

/** Matches the questions how far an upload has come. */
export function isStatus({ method, url }: SeenRequest): boolean {
  return method === "GET" && url.includes("/blobs/uploads/");
}

/** Matches the requests that end the upload of a blob. */
export function isCommit({ method, url }: SeenRequest): boolean {
  return method === "PUT" && url.includes("/blobs/uploads/");
}

/** Matches the requests that move a tag. */
export function isTagging({ method, url }: SeenRequest): boolean {
  return method === "PUT" && url.includes("/manifests/");
}

/** Bytes of all bodies. */
export function bytesOf(requests: readonly SeenRequest[]): number {
  return requests.reduce((sum, { bytes }) => sum + bytes, 0);
}

/** Starts a proxy before the registry at that host and port. */
export async function startRegistryProxy(registry: string): Promise<RegistryProxy> {
  const { hostname, port } = new URL(`http://${registry}`);
  const seen: SeenRequest[] = [];
  const rules: Rule[] = [];

  function faultFor(request: SeenRequest): RegistryFault | undefined {
    const rule = rules.find(({ left, match }) => left > 0 && match(request));
    if (rule === undefined) return undefined;
    rule.left -= 1;
    rule.hits += 1;
    return rule.fault;
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "GET", url = "/", headers } = request;
    const entry: SeenRequest = { method, url, headers, bytes: 0, status: 0 };
    seen.push(entry);
    const fault = faultFor(entry);
    if (fault?.kind === "answer") {
      entry.status = fault.status;
      response.writeHead(fault.status, fault.headers).end();
      return;
    }
    if (fault?.kind === "hold" && fault.afterBytes === 0) await fault.until();
    // The host stays the proxy's, so that the locations that the registry names lead through it.
    const outgoing = forward({ hostname, port, method, path: url, headers, agent: false });
    const answered = answer(outgoing);
    const isWhole = await passBody(request, outgoing, entry, fault);
    if (!isWhole) return;
    const answerOfRegistry = await answered;
    if (answerOfRegistry === undefined || fault?.kind === "lose-answer") {
      answerOfRegistry?.resume();
      request.socket.resetAndDestroy();
      return;
    }
    entry.status = answerOfRegistry.statusCode ?? 0;
    response.writeHead(entry.status, answerOfRegistry.headers);
    answerOfRegistry.on("error", () => request.socket.resetAndDestroy()).pipe(response);
  }

  const server = createServer((request, response) => {
    request.on("error", () => undefined);
    handle(request, response).catch(() => request.socket.resetAndDestroy());
  });
  // Long enough for every test.
  server.requestTimeout = 0;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    fault(match, fault, times = 1) {
      const rule = { match, fault, left: times, hits: 0 };
      rules.push(rule);
      return () => rule.hits;
    },
    clear() {
      seen.length = 0;
      rules.length = 0;
    },
    async stop() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** The registry's answer; undefined when it hangs up instead. */
async function answer(outgoing: ClientRequest): Promise<IncomingMessage | undefined> {
  return new Promise((resolve) => {
    outgoing.on("response", resolve).on("error", () => resolve(undefined));
  });
}

/** Passes a body on as far as the fault lets it; false when the request ended there. */
async function passBody(
  request: IncomingMessage,
  outgoing: ClientRequest,
  entry: SeenRequest,
  fault: RegistryFault | undefined,
): Promise<boolean> {
  const limit = fault?.kind === "reset" || fault?.kind === "stall" ? fault.afterBytes : Infinity;
  if (limit === 0) return cut(request, outgoing, fault);
  try {
    for await (const piece of request as AsyncIterable<Buffer>) {
      const room = Math.min(piece.length, limit - entry.bytes);
      if (fault?.kind === "spoil" && entry.bytes === 0) piece[room >> 1] = ~(piece[room >> 1] ?? 0);
      const before = entry.bytes;
      entry.bytes += room;
      await write(outgoing, piece.subarray(0, room));
      // The registry has died, and the builder learns of it now.
      if (outgoing.destroyed) request.socket.resetAndDestroy();
      if (fault?.kind === "hold" && before < fault.afterBytes && entry.bytes >= fault.afterBytes) {
        await fault.until();
      }
      if (entry.bytes >= limit) return cut(request, outgoing, fault);
    }
  } catch (error) {
    // The builder hangs up; so do we.
    outgoing.destroy();
    throw error;
  }
  outgoing.end();
  return true;
}

function cut(
  request: IncomingMessage,
  outgoing: ClientRequest,
  fault: RegistryFault | undefined,
): false {
  request.pause();
  if (fault?.kind !== "reset") return false;
  outgoing.destroy();
  request.socket.resetAndDestroy();
  return false;
}

/** Ends when the piece has left, or the peer is gone, which its answer tells. */
async function write(outgoing: ClientRequest, piece: Buffer): Promise<void> {
  await new Promise<void>((resolve) => {
    outgoing.write(piece, () => resolve());
  });
}
