import { readFile } from "node:fs/promises";
import { isFields } from "../api/fields.ts";
import { RegistryError } from "./registry-error.ts";

/** What a registry is told about who asks. */
export type Credentials =
  | { readonly username: string; readonly password: string }
  /** An OAuth2 refresh token, to be changed for access tokens. */
  | { readonly identityToken: string };

/** The part of a kubernetes.io/dockerconfigjson Secret that is read. */
export interface DockerConfig {
  readonly auths: Readonly<Record<string, unknown>>;
}

/** Names that all mean Docker Hub. */
const DOCKER_HUB = new Set(["registry-1.docker.io", "docker.io", "index.docker.io"]);

/** The host that serves a registry's API: Docker Hub has several names, and only one of them does. */
export function apiHost(registry: string | undefined): string {
  const host = registry ?? "docker.io";
  return isDockerHub(host) ? "registry-1.docker.io" : host;
}

/** True for every name of Docker Hub. */
export function isDockerHub(host: string): boolean {
  return DOCKER_HUB.has(host);
}

/** Reads the mounted file of a Secret; undefined when there is none. Its text never gets into an error. */
export async function readDockerConfig(path: string): Promise<DockerConfig | undefined> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new RegistryError("denied", "the registry credentials can not be read", { cause });
  }
  let config: unknown;
  try {
    config = JSON.parse(text);
  } catch {
    // The parser's error quotes the text, and the text is secret.
    throw new RegistryError("denied", "the registry credentials are not JSON (.dockerconfigjson)");
  }
  if (!isFields(config) || !isFields(config["auths"])) {
    throw new RegistryError("denied", "the registry credentials lack `auths` (.dockerconfigjson)");
  }
  return { auths: config["auths"] };
}

/** The credentials for exactly that host and port; undefined when the file has none. */
export function credentialsFor(
  config: DockerConfig | undefined,
  host: string,
): Credentials | undefined {
  const entries = Object.entries(config?.auths ?? {});
  const [, entry] = entries.find(([key]) => isSameHost(hostOf(key), host)) ?? [];
  if (!isFields(entry)) return undefined;
  const { identitytoken, username, password, auth } = entry;
  if (typeof identitytoken === "string" && identitytoken !== "") {
    return { identityToken: identitytoken };
  }
  if (typeof username === "string" && typeof password === "string") return { username, password };
  if (typeof auth !== "string") return undefined;
  const decoded = Buffer.from(auth, "base64").toString();
  const colon = decoded.indexOf(":");
  if (colon === -1) return undefined;
  return { username: decoded.slice(0, colon), password: decoded.slice(colon + 1) };
}

/** Keys are hosts, or URLs such as `https://index.docker.io/v1/`. */
function hostOf(key: string): string {
  return (key.replace(/^https?:\/\//, "").split("/")[0] ?? "").toLowerCase();
}

function isSameHost(a: string, b: string): boolean {
  return a === b || (isDockerHub(a) && isDockerHub(b));
}
