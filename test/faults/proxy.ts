import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { Agent, createServer, request as forward } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { parse } from "yaml";
import { issue, makeAuthority } from "../../deploy/local/pki.ts";

/** What happens to a request that a rule has chosen. */
export type Fault =
  /** Answered by the proxy; the API server never sees it. */
  | {
      readonly kind: "answer";
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: unknown;
    }
  /** The connection is reset before the API server sees anything. */
  | { readonly kind: "reset" }
  /** The API server does it, but its answer is lost in a reset. */
  | { readonly kind: "lose-answer" }
  /** The connection stays open and nothing comes back; the API server sees nothing. */
  | { readonly kind: "hang" }
  /** The answer arrives in pieces, cut within every character of more than one byte. */
  | { readonly kind: "shred" };

/** A request as a rule sees it; `url` is path and query. */
export interface Seen {
  readonly method: string;
  readonly url: string;
}

/** A watch that is open through the proxy. */
export interface OpenWatch {
  readonly url: string;
  /** Puts text or bytes between two events. */
  inject(text: string | Uint8Array): void;
  reset(): void;
  /** Ends it as the API server does when its time is over. */
  end(): void;
  /** Half-open: nothing passes any more in either direction, and neither side is told. */
  stall(): void;
}

/** An HTTPS proxy on 127.0.0.1 before an API server; every fault is switched by its methods. */
export interface FaultyProxy {
  readonly url: string;
  /** Path of a kubeconfig that leads through the proxy, as cluster administrator. */
  readonly kubeconfig: string;
  /** Every request so far, faults included. */
  readonly seen: readonly Seen[];
  /** Connections that were ever accepted. */
  connections(): number;
  /** The next `times` requests that match (default 1) meet the fault; the answer says how many have so far. */
  fault(match: (request: Seen) => boolean, fault: Fault, times?: number): () => number;
  watches(): OpenWatch[];
  /** Outage: refuses connections and resets the open ones. */
  close(): Promise<void>;
  reopen(): Promise<void>;
  stop(): Promise<void>;
}

interface Rule {
  readonly match: (request: Seen) => boolean;
  readonly fault: Fault;
  left: number;
  hits: number;
}

/** Matches the requests that open a watch. */
export function isWatch({ url }: Seen): boolean {
  return url.includes("watch=true");
}

/** Matches the requests for a list, first page or later. */
export function isList({ method, url }: Seen): boolean {
  return method === "GET" && url.includes("limit=");
}

/** Starts a proxy before the API server of a kubeconfig; requests without a token of their own go out with its client certificate. */
export async function startFaultyProxy(options: {
  readonly kubeconfig: string;
  /** Where the proxy's own kubeconfig is written. */
  readonly directory: string;
}): Promise<FaultyProxy> {
  const upstream = await readUpstream(options.kubeconfig);
  const authority = await makeAuthority("faulty-proxy-authority");
  const pair = await issue(authority, { commonName: "faulty-proxy", addresses: ["127.0.0.1"] });
  const rules: Rule[] = [];
  const seen: Seen[] = [];
  /** Raw connections by the client's port. */
  const sockets = new Map<number, Socket>();
  const watches = new Set<OpenWatch>();
  let accepted = 0;

  function faultFor(request: Seen): Fault | undefined {
    const rule = rules.find(({ left, match }) => left > 0 && match(request));
    if (rule === undefined) return undefined;
    rule.left -= 1;
    rule.hits += 1;
    return rule.fault;
  }

  function handle(request: IncomingMessage, response: ServerResponse): void {
    const { method = "GET", url = "/" } = request;
    seen.push({ method, url });
    const fault = faultFor({ method, url });
    switch (fault?.kind) {
      case "answer":
        response.writeHead(fault.status, { "content-type": "application/json", ...fault.headers });
        response.end(typeof fault.body === "string" ? fault.body : JSON.stringify(fault.body));
        return;
      case "reset":
        reset(response);
        return;
      case "hang":
        return;
      case "lose-answer":
      case "shred":
      case undefined:
        pass(request, response, fault?.kind);
    }
  }

  function pass(
    request: IncomingMessage,
    response: ServerResponse,
    fault: "lose-answer" | "shred" | undefined,
  ): void {
    const { host: _, connection: __, ...headers } = request.headers;
    const outgoing = forward(`${upstream.server}${request.url}`, {
      method: request.method,
      headers,
      agent: headers.authorization === undefined ? upstream.administrator : upstream.anybody,
    });
    let stalled = false;
    let pieces = Promise.resolve();
    const fail = (): void => {
      if (!stalled) reset(response);
    };
    outgoing.on("error", fail);
    response.on("close", () => outgoing.destroy());
    outgoing.on("response", (answer) => {
      answer.on("error", fail);
      if (fault === "lose-answer") {
        answer.resume().on("end", fail);
        return;
      }
      response.writeHead(answer.statusCode ?? 502, answer.headers).flushHeaders();
      answer.on("data", (bytes: Buffer) => {
        if (stalled) return;
        pieces = pieces.then(async () => writePieces(response, fault, bytes));
      });
      answer.on("end", () => {
        if (!stalled) void pieces.finally(() => response.end());
      });
      const { url = "" } = request;
      if (!isWatch({ method: "GET", url })) return;
      const watch: OpenWatch = {
        url,
        inject: (text) => void response.write(text),
        reset: () => reset(response),
        end: () => void response.end(),
        stall() {
          stalled = true;
        },
      };
      watches.add(watch);
      response.on("close", () => watches.delete(watch));
    });
    request.pipe(outgoing);
  }

  /** Sends RST; a TLS socket by itself can only say goodbye. */
  function reset({ socket }: ServerResponse): void {
    sockets.get(socket?.remotePort ?? 0)?.resetAndDestroy();
  }

  const server = createServer({ cert: pair.cert, key: pair.key }, handle);
  server.on("connection", (socket: Socket) => {
    const peer = socket.remotePort ?? 0;
    accepted += 1;
    sockets.set(peer, socket);
    socket.on("close", () => sockets.delete(peer)).on("error", () => {});
  });
  server.on("tlsClientError", () => {});
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;

  async function close(): Promise<void> {
    const closed = once(server, "close");
    server.close();
    for (const socket of sockets.values()) socket.resetAndDestroy();
    await closed;
  }

  const url = `https://127.0.0.1:${port}`;
  const kubeconfig = `${options.directory}/faulty-proxy-${port}.kubeconfig`;
  await writeFile(kubeconfig, clientConfig(url, authority.cert));
  return {
    url,
    kubeconfig,
    seen,
    connections: () => accepted,
    fault(match, fault, times = 1) {
      const rule = { match, fault, left: times, hits: 0 };
      rules.push(rule);
      return () => rule.hits;
    },
    watches: () => [...watches],
    close,
    async reopen() {
      server.listen(port, "127.0.0.1");
      await once(server, "listening");
    },
    async stop() {
      if (server.listening) await close();
      upstream.administrator.destroy();
      upstream.anybody.destroy();
    },
  };
}

async function writePieces(
  response: ServerResponse,
  fault: Fault["kind"] | undefined,
  bytes: Buffer,
): Promise<void> {
  if (fault !== "shred") {
    response.write(bytes);
    return;
  }
  for (const piece of shred(bytes)) {
    response.write(piece);
    // Long enough for the reader to take it before the next one comes.
    await sleep(2);
  }
}

function shred(bytes: Buffer): Buffer[] {
  const cuts = [...bytes.keys()].filter((index) => (bytes.readUInt8(index) & 0xc0) === 0x80);
  return [0, ...cuts].map((start, index) => bytes.subarray(start, cuts[index]));
}

interface Upstream {
  readonly server: string;
  readonly administrator: Agent;
  readonly anybody: Agent;
}

async function readUpstream(path: string): Promise<Upstream> {
  const config = parse(await readFile(path, "utf8")) as {
    clusters: { cluster: { server: string; "certificate-authority-data": string } }[];
    users: { user: { "client-certificate-data": string; "client-key-data": string } }[];
  };
  const cluster = config.clusters[0]?.cluster;
  const user = config.users[0]?.user;
  if (cluster === undefined || user === undefined) throw new Error(`${path} names no cluster`);
  const ca = decode(cluster["certificate-authority-data"]);
  return {
    server: cluster.server,
    anybody: new Agent({ keepAlive: true, ca }),
    administrator: new Agent({
      keepAlive: true,
      ca,
      cert: decode(user["client-certificate-data"]),
      key: decode(user["client-key-data"]),
    }),
  };
}

function decode(base64: string): Buffer {
  return Buffer.from(base64, "base64");
}

function clientConfig(server: string, authority: string): string {
  const name = "faulty-proxy";
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name, cluster: { server, "certificate-authority-data": btoa(authority) } }],
    users: [{ name, user: {} }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    "current-context": name,
  });
}
