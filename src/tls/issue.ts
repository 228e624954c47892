import { randomBytes } from "node:crypto";
import { isIP } from "node:net";
import type { generate } from "selfsigned";

/** A certificate and its private key, both PEM. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

/** From when to when a certificate holds, milliseconds since the epoch. */
export interface Lifetime {
  readonly from: number;
  readonly to: number;
}

type Extensions = NonNullable<NonNullable<Parameters<typeof generate>[1]>["extensions"]>;

/** Clocks in a cluster differ; a certificate is valid for those that are behind by less than this. */
const CLOCK_SKEW_MS = 3_600_000;

/**
 * Makes a new authority (EC P-256, SHA-256). Its common name is its own: certificates from here carry no key identifiers, so two
 * generations in one bundle are told apart by name.
 */
export async function issueAuthority(lifetime: Lifetime): Promise<KeyPair> {
  const day = new Date(lifetime.from).toISOString().slice(0, 10);
  return sign(`modelhook-ca ${day} ${randomBytes(4).toString("hex")}`, lifetime, [
    { name: "basicConstraints", cA: true, pathLenConstraint: 0, critical: true },
    { name: "keyUsage", keyCertSign: true, cRLSign: true, critical: true },
  ]);
}

/** Makes a server certificate (EC P-256, SHA-256) for DNS names and IP addresses, signed by the authority. */
export async function issueLeaf(
  authority: KeyPair,
  names: readonly string[],
  lifetime: Lifetime,
): Promise<KeyPair> {
  const altNames = names.map((name) =>
    isIP(name) === 0 ? { type: 2 as const, value: name } : { type: 7 as const, ip: name },
  );
  return sign(
    "modelhook",
    lifetime,
    [
      { name: "basicConstraints", cA: false, critical: true },
      { name: "keyUsage", digitalSignature: true, critical: true },
      { name: "extKeyUsage", serverAuth: true },
      { name: "subjectAltName", altNames },
    ],
    authority,
  );
}

async function sign(
  commonName: string,
  { from, to }: Lifetime,
  extensions: Extensions,
  ca?: KeyPair,
): Promise<KeyPair> {
  // Costs 0.1 s, which a process that serves certificates from files never pays.
  const { generate } = await import("selfsigned");
  const { cert, private: key } = await generate([{ name: "commonName", value: commonName }], {
    algorithm: "sha256",
    keyType: "ec",
    notBeforeDate: new Date(from - CLOCK_SKEW_MS),
    notAfterDate: new Date(to),
    extensions,
    ...(ca === undefined ? {} : { ca: { cert: ca.cert, key: ca.key } }),
  });
  // Without the line feed two certificates one after the other would be unreadable.
  return { cert: `${cert}\n`, key };
}
