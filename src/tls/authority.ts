import type { ApiServer } from "../kube/client.ts";
import { isAlreadyExists, isConflict } from "../kube/errors.ts";
import { resources } from "../kube/resources.ts";
import { create, find, update } from "../kube/write.ts";
import type { Logger } from "../telemetry/logger.ts";
import { issueAuthority, type KeyPair } from "./issue.ts";
import { joinBundle, notAfter, parseCertificates, parsePrivateKey } from "./pem.ts";

/** The authority that signs leaves, and all that callers must trust: it and other generations that are still in use. */
export interface Authority extends KeyPair {
  readonly bundle: string;
}

/**
 * The Secret that all replicas share, type kubernetes.io/tls: `tls.crt` and `tls.key` are the generation that signs, `ca.crt` is every
 * generation that is trusted. A next generation enters `ca.crt` first, so that it is trusted before anything is signed by it.
 */
export const AUTHORITY_SECRET = "modelhook-ca";

/** Where the authority is kept and what is known of it. */
export interface AuthorityOptions {
  readonly namespace: string;
  /** What this process used so far; it is put back when the Secret has been deleted. */
  readonly known?: Authority | undefined;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly log: Logger;
}

interface Secret {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly labels?: { [key: string]: string };
    readonly resourceVersion?: string;
  };
  readonly type?: string;
  readonly data?: Readonly<Record<string, string>>;
}

const DAY_MS = 86_400_000;
const LIFETIME_MS = 3650 * DAY_MS;
/** Longer than any leaf lives, so that no leaf outlives its authority. */
const RENEW_BEFORE_MS = 90 * DAY_MS;
const ATTEMPTS = 5;

/**
 * Reads the authority. The first replica to come makes it, the others take what is stored; one that ends soon is followed by a new
 * generation. Throws when the Secret holds something else: what others put there is never overwritten.
 */
export async function loadAuthority(api: ApiServer, options: AuthorityOptions): Promise<Authority> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const secret = await read(api, options.namespace);
    const authority =
      secret === undefined ? await found(api, options) : await keep(api, secret, options);
    if (authority !== undefined) return authority;
  }
  throw new Error(`${place(options)} was changed by others each of ${ATTEMPTS} times it was read`);
}

/** The stored authority, or its successor when it ends soon; undefined when another replica was faster. */
async function keep(
  api: ApiServer,
  secret: Secret,
  options: AuthorityOptions,
): Promise<Authority | undefined> {
  const { now, log } = options;
  const stored = parseSecret(secret, place(options));
  const [certificate] = parseCertificates(stored.cert, "tls.crt");
  if (notAfter(certificate) - now > RENEW_BEFORE_MS) return stored;
  const pair = await issueAuthority({ from: now, to: now + LIFETIME_MS });
  const next = { ...pair, bundle: joinBundle([pair.cert, stored.bundle], now) };
  try {
    await update<Secret>(api, resources.secrets, { ...secret, data: dataOf(next) });
  } catch (error) {
    if (isConflict(error)) return undefined;
    throw error;
  }
  log.info({ secret: AUTHORITY_SECRET, ended: certificate.validTo }, "Renewed the authority");
  return next;
}

/** A new authority, stored; undefined when another replica was faster. */
async function found(api: ApiServer, options: AuthorityOptions): Promise<Authority | undefined> {
  const { namespace, known, now, log } = options;
  const authority = known ?? (await makeAuthority(now));
  try {
    await create<Secret>(api, resources.secrets, {
      metadata: {
        name: AUTHORITY_SECRET,
        namespace,
        labels: { "app.kubernetes.io/name": "modelhook" },
      },
      type: "kubernetes.io/tls",
      data: dataOf(authority),
    });
  } catch (error) {
    if (isAlreadyExists(error)) return undefined;
    throw error;
  }
  log.info({ secret: AUTHORITY_SECRET, restored: known !== undefined }, "Stored the authority");
  return authority;
}

async function makeAuthority(now: number): Promise<Authority> {
  const pair = await issueAuthority({ from: now, to: now + LIFETIME_MS });
  return { ...pair, bundle: pair.cert };
}

async function read(api: ApiServer, namespace: string): Promise<Secret | undefined> {
  return find<Secret>(api, resources.secrets, { namespace, name: AUTHORITY_SECRET });
}

function parseSecret(secret: Secret, where: string): Authority {
  const text = (key: string): string =>
    Buffer.from(secret.data?.[key] ?? "", "base64").toString("utf8");
  const authority = {
    cert: text("tls.crt"),
    key: text("tls.key"),
    bundle: text("ca.crt") || text("tls.crt"),
  };
  try {
    const [certificate] = parseCertificates(authority.cert, "tls.crt");
    if (!certificate.ca) throw new Error("tls.crt is no certificate authority");
    const labels = { key: "tls.key", cert: "tls.crt" };
    const { asymmetricKeyType } = parsePrivateKey(authority.key, certificate, labels);
    if (asymmetricKeyType !== "ec") throw new Error("tls.key is no elliptic curve key");
    parseCertificates(authority.bundle, "ca.crt");
  } catch (cause) {
    throw new Error(
      `${where}: ${(cause as Error).message}; put a working pair there, or delete the Secret for a new authority`,
      { cause },
    );
  }
  return authority;
}

function dataOf(authority: Authority): Record<string, string> {
  return {
    "tls.crt": base64(authority.cert),
    "tls.key": base64(authority.key),
    "ca.crt": base64(authority.bundle),
  };
}

function place({ namespace }: AuthorityOptions): string {
  return `Secret ${namespace}/${AUTHORITY_SECRET}`;
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}
