import { generateKeyPairSync, randomUUID, sign } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { LOGIN } from "./registry.ts";

/** Grants tokens as the distribution specification says, to whoever knows `LOGIN` or the refresh token. */
export interface TokenServer {
  /** Host and port. */
  readonly host: string;
  /** The section of a registry's configuration that trusts this server. */
  readonly auth: object;
  /** The scopes that were asked for, in order; those of one request with blanks between them. */
  readonly scopes: readonly string[];
  stop(): Promise<void>;
}

export const REFRESH_TOKEN = "refresh-me";

const SERVICE = "test registry";
const ISSUER = "test issuer";

/** Seconds for which registries take tokens that have expired: clocks differ. */
const LEEWAY = 60;

/** What a token server does. */
export interface TokenServerOptions {
  /** How long a registry takes its tokens. */
  readonly seconds?: number;
  /** Repositories that nobody gets a right to, though the token is granted. */
  readonly withheld?: readonly string[];
  /** Repositories for which nobody gets a token at all, whatever else it is for. */
  readonly refused?: readonly string[];
}

/** Starts a token server. */
export async function startTokenServer({
  seconds = 120,
  withheld = [],
  refused = [],
}: TokenServerOptions = {}): Promise<TokenServer> {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const kid = randomUUID();
  const scopes: string[] = [];
  const server = createServer((request, response) => {
    void (async () => {
      const asked = await readRequest(request);
      scopes.push(asked.scopes.join(" "));
      const names = asked.scopes.map((scope) => scope.split(":")[1] ?? "");
      if (!asked.isKnown || names.some((name) => refused.includes(name))) {
        response
          .writeHead(401)
          .end(JSON.stringify({ errors: [{ code: "UNAUTHORIZED", message: "who are you" }] }));
        return;
      }
      const now = Math.floor(Date.now() / 1000);
      const claims = {
        iss: ISSUER,
        aud: SERVICE,
        sub: LOGIN.username,
        nbf: now - 120,
        exp: now + seconds - LEEWAY,
        access: asked.scopes
          .map((scope) => scope.split(":"))
          .filter(([, name = ""]) => !withheld.includes(name))
          .map(([type, name, actions = ""]) => ({ type, name, actions: actions.split(",") })),
      };
      const body = [{ alg: "ES256", typ: "JWT", kid }, claims]
        .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
        .join(".");
      const signature = sign("sha256", Buffer.from(body), {
        key: privateKey,
        dsaEncoding: "ieee-p1363",
      });
      response.end(JSON.stringify({ [asked.field]: `${body}.${signature.toString("base64url")}` }));
    })();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const directory = mkdtempSync(join(tmpdir(), "modelhook-token-"));
  const jwks = join(directory, "jwks.json");
  writeFileSync(
    jwks,
    JSON.stringify({
      keys: [{ ...publicKey.export({ format: "jwk" }), kid, alg: "ES256", use: "sig" }],
    }),
  );
  return {
    host,
    scopes,
    auth: { token: { realm: `http://${host}/token`, service: SERVICE, issuer: ISSUER, jwks } },
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
      rmSync(directory, { recursive: true });
    },
  };
}

async function readRequest(
  request: IncomingMessage,
): Promise<{ scopes: string[]; isKnown: boolean; field: "token" | "access_token" }> {
  if (request.method === "POST") {
    const form = new URLSearchParams(await text(request));
    const isKnown =
      form.get("grant_type") === "refresh_token" && form.get("refresh_token") === REFRESH_TOKEN;
    return { scopes: form.getAll("scope"), isKnown, field: "access_token" };
  }
  const query = new URL(request.url ?? "", "http://localhost").searchParams;
  const expected = `Basic ${Buffer.from(`${LOGIN.username}:${LOGIN.password}`).toString("base64")}`;
  const isKnown = request.headers.authorization === expected && query.get("service") === SERVICE;
  return { scopes: query.getAll("scope"), isKnown, field: "token" };
}
