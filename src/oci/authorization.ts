import { parseChallenges, type Challenge } from "./challenge.ts";
import type { Credentials } from "./credentials.ts";
import { errorText, faultOfStatus, RegistryError } from "./registry-error.ts";
import { readText, type Transport } from "./transport.ts";

/** Longest answer of a token server. */
const MAX_TOKEN_BYTES = 256 * 1024;

/** Answers the challenge of a 401 with an `authorization` header. */
export interface Authorization {
  /** The header for the next request; undefined until a challenge was answered. */
  header(): string | undefined;
  /** Fetches what the challenge asks for; throws RegistryError `denied` when there is nothing to answer it with. */
  answer(challenge: string | undefined, scopes: readonly string[]): Promise<void>;
}

/** Authorization at one registry: Basic, or Bearer tokens of the server that it names (distribution specification). */
export function authorization(
  transport: Transport,
  host: string,
  credentials: Credentials | undefined,
): Authorization {
  let header: string | undefined;
  return {
    header: () => header,
    async answer(text, scopes) {
      const challenges = parseChallenges(text ?? "");
      const bearer = challenges.find(({ scheme }) => scheme === "bearer");
      if (bearer !== undefined) {
        header = `Bearer ${await fetchToken(transport, bearer, scopes, credentials)}`;
        return;
      }
      const isBasic = challenges.some(({ scheme }) => scheme === "basic");
      if (!isBasic || credentials === undefined || "identityToken" in credentials) {
        const lacking = credentials === undefined ? "; there are no credentials for it" : "";
        throw new RegistryError("denied", `${host} asks for a login${lacking}`);
      }
      header = basic(credentials);
    },
  };
}

async function fetchToken(
  transport: Transport,
  { parameters }: Challenge,
  scopes: readonly string[],
  credentials: Credentials | undefined,
): Promise<string> {
  const { realm = "", service } = parameters;
  if (!URL.canParse(realm)) {
    throw new RegistryError("invalid", `the token server's address is no URL: ${realm}`);
  }
  const url = new URL(realm);
  const query = new URLSearchParams([
    // One parameter for each (distribution specification, "Token Authentication").
    ...scopes.map((scope): [string, string] => ["scope", scope]),
    ...(service === undefined ? [] : [["service", service] satisfies [string, string]]),
  ]);
  const response =
    credentials !== undefined && "identityToken" in credentials
      ? await transport.send({
          method: "POST",
          url,
          headers: { "content-type": "application/x-www-form-urlencoded" },
          body: refreshForm(query, scopes, credentials.identityToken),
        })
      : await transport.send({
          method: "GET",
          url: withQuery(url, query),
          headers: credentials === undefined ? {} : { authorization: basic(credentials) },
        });
  const text = await readText(response, MAX_TOKEN_BYTES);
  if (response.statusCode !== 200) {
    const fault = faultOfStatus(response.statusCode);
    const message = `${url.host} gives no token for ${scopes.join(" ")} (status ${response.statusCode}): ${errorText(text)}`;
    throw new RegistryError(fault === "unreachable" ? fault : "denied", message);
  }
  return tokenOf(text, url.host);
}

function refreshForm(
  query: URLSearchParams,
  scopes: readonly string[],
  refreshToken: string,
): string {
  const form = new URLSearchParams(query);
  // Parted by blanks (distribution specification, "Oauth2 Token Authentication").
  form.set("scope", scopes.join(" "));
  form.set("grant_type", "refresh_token");
  form.set("client_id", "modelhook");
  form.set("refresh_token", refreshToken);
  return form.toString();
}

function withQuery(url: URL, query: URLSearchParams): URL {
  const next = new URL(url);
  for (const [key, value] of query) next.searchParams.append(key, value);
  return next;
}

function tokenOf(text: string, host: string): string {
  try {
    const answer = JSON.parse(text) as { token?: unknown; access_token?: unknown } | null;
    const token = answer?.token ?? answer?.access_token;
    if (typeof token === "string") return token;
  } catch {
    // The parser's error would quote what may be half a token.
  }
  throw new RegistryError("invalid", `the answer of the token server ${host} holds no token`);
}

function basic({ username, password }: { username: string; password: string }): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}
