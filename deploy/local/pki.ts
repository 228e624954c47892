import { generateKeyPairSync } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { generate } from "selfsigned";

/** A certificate and its private key, both PEM. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

/** Who a certificate is for: user and group of a client, names and addresses of a server. */
export interface Subject {
  readonly commonName: string;
  readonly organization?: string;
  readonly addresses?: readonly string[];
  readonly hostNames?: readonly string[];
}

const DAY_MS = 86_400_000;

/** Makes a certificate authority that lives for 30 days, longer than any cluster made here. */
export async function makeAuthority(commonName: string): Promise<KeyPair> {
  return sign({ commonName }, [
    { name: "basicConstraints", cA: true, critical: true },
    { name: "keyUsage", keyCertSign: true, digitalSignature: true, critical: true },
  ]);
}

/** Makes a certificate that the authority signs, for a server when addresses or host names are given, and a client. */
export async function issue(authority: KeyPair, subject: Subject): Promise<KeyPair> {
  const names = [
    ...(subject.hostNames ?? []).map((value) => ({ type: 2 as const, value })),
    ...(subject.addresses ?? []).map((ip) => ({ type: 7 as const, ip })),
  ];
  return sign(
    subject,
    [
      { name: "basicConstraints", cA: false, critical: true },
      { name: "keyUsage", digitalSignature: true, critical: true },
      { name: "extKeyUsage", clientAuth: true, serverAuth: names.length > 0 },
      ...(names.length > 0 ? [{ name: "subjectAltName" as const, altNames: names }] : []),
    ],
    authority,
  );
}

/** Writes `<name>.crt` and `<name>.key` into a directory, the key readable by its owner only. */
export async function writeKeyPair(directory: string, name: string, pair: KeyPair): Promise<void> {
  await writeFile(join(directory, `${name}.crt`), pair.cert);
  await writeFile(join(directory, `${name}.key`), pair.key, { mode: 0o600 });
}

/** Writes `sa.key` and `sa.pub`, which sign and check ServiceAccount tokens. */
export async function writeServiceAccountKeys(directory: string): Promise<void> {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  await writeFile(join(directory, "sa.key"), privateKey.export({ type: "sec1", format: "pem" }), {
    mode: 0o600,
  });
  await writeFile(join(directory, "sa.pub"), publicKey.export({ type: "spki", format: "pem" }));
}

type Extensions = NonNullable<NonNullable<Parameters<typeof generate>[1]>["extensions"]>;

async function sign(
  subject: Subject,
  extensions: Extensions,
  authority?: KeyPair,
): Promise<KeyPair> {
  const { cert, private: key } = await generate(
    [
      ...(subject.organization === undefined
        ? []
        : [{ name: "organizationName", value: subject.organization }]),
      { name: "commonName", value: subject.commonName },
    ],
    {
      algorithm: "sha256",
      keyType: "ec",
      notBeforeDate: new Date(Date.now() - 3_600_000),
      notAfterDate: new Date(Date.now() + 30 * DAY_MS),
      extensions,
      ...(authority === undefined ? {} : { ca: authority }),
    },
  );
  return { cert, key };
}
