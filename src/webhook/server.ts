import { createServer as createHttpServer, type RequestListener, type Server } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { TlsOptions } from "node:tls";
import type { CertificateSource } from "../tls/source.ts";

/** A server that listens. */
export interface RunningServer {
  readonly port: number;
  /** Takes no new connection, answers the requests that are here, and breaks what is still open after `finishMs`. */
  close(finishMs: number): Promise<void>;
}

/** Where to listen; port 0 takes a free one. */
export interface Address {
  readonly host?: string;
  readonly port: number;
}

/**
 * The API server drops a connection that was idle for 90 s. We wait longer, in every respect: if we were first, a request could cross
 * our end of the connection and be lost. This holds for connections that never carried a request too, as Go dials some in advance.
 */
const CLIENT_FIRST_MS = 100_000;

/** Serves HTTPS (TLS 1.3) with the certificate of the source; a new one is taken by new connections, the open ones stay. */
export async function startWebhookServer(
  app: RequestListener,
  address: Address & { readonly source: CertificateSource },
): Promise<RunningServer> {
  const { source } = address;
  const server = createHttpsServer(
    {
      ...tlsOptions(source),
      keepAliveTimeout: CLIENT_FIRST_MS,
      headersTimeout: CLIENT_FIRST_MS,
      requestTimeout: CLIENT_FIRST_MS,
    },
    app,
  );
  source.onChange(() => server.setSecureContext(tlsOptions(source)));
  return listen(server, address);
}

/** Serves HTTP for probes and metrics. */
export async function startProbeServer(
  app: RequestListener,
  address: Address,
): Promise<RunningServer> {
  return listen(createHttpServer(app), address);
}

/** All of them each time: setSecureContext forgets what it is not told again. */
function tlsOptions(source: CertificateSource): TlsOptions {
  const { cert, key } = source.current();
  return { cert, key, minVersion: "TLSv1.3" };
}

async function listen(server: Server, { host, port }: Address): Promise<RunningServer> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve();
    });
  });
  return {
    port: (server.address() as AddressInfo).port,
    async close(finishMs) {
      const timer = setTimeout(() => server.closeAllConnections(), finishMs);
      // Idle connections are closed by this too.
      await new Promise((resolve) => server.close(resolve));
      clearTimeout(timer);
    },
  };
}
