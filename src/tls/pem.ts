import { createPrivateKey, X509Certificate, type KeyObject } from "node:crypto";

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** The certificates of a PEM text, in its order. Throws an Error that begins with `label` when there is none or one is broken. */
export function parseCertificates(
  pem: string,
  label: string,
): readonly [X509Certificate, ...X509Certificate[]] {
  const blocks = pem.match(CERTIFICATE) ?? [];
  try {
    const [first, ...rest] = blocks.map((block) => new X509Certificate(block));
    if (first !== undefined) return [first, ...rest];
  } catch (cause) {
    throw new Error(`${label} holds a certificate that cannot be read`, { cause });
  }
  throw new Error(`${label} holds no PEM certificate`);
}

/** The private key of a PEM text. Throws when it is none, or belongs to another certificate. */
export function parsePrivateKey(
  pem: string,
  certificate: X509Certificate,
  labels: { readonly key: string; readonly cert: string },
): KeyObject {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch {
    // The cause is left out: its text may quote the key.
    throw new Error(`${labels.key} holds no PEM private key`);
  }
  if (!certificate.checkPrivateKey(key)) {
    throw new Error(`${labels.key} does not belong to the certificate in ${labels.cert}`);
  }
  return key;
}

/** When a certificate ends, milliseconds since the epoch. */
export function notAfter(certificate: X509Certificate): number {
  return certificate.validToDate.getTime();
}

/** One PEM text of all certificates, each once, without those that ended before `now`. */
export function joinBundle(pems: readonly string[], now: number): string {
  const blocks = pems.flatMap((pem) => pem.match(CERTIFICATE) ?? []);
  const valid = blocks.filter((block) => notAfter(new X509Certificate(block)) > now);
  return [...new Set(valid)].map((block) => `${block}\n`).join("");
}

/**
 * True when a client that trusts exactly `bundle` accepts the chain at `now`: the leaf or one of its intermediates is in the
 * bundle or signed by a certificate of it. False for a bundle that cannot be read.
 */
export function isTrusted(chain: string, bundle: string, now: number): boolean {
  const served = readAll(chain).filter((certificate) => isValid(certificate, now));
  const trusted = readAll(bundle).filter((certificate) => isValid(certificate, now));
  let at = served[0];
  // Each step leads to another certificate of the chain, so there are at most as many.
  for (let step = 0; at !== undefined && step < served.length; step += 1) {
    const link: X509Certificate = at;
    if (trusted.some((ca) => ca.fingerprint256 === link.fingerprint256 || signed(ca, link))) {
      return true;
    }
    at = served.find((other) => other !== link && signed(other, link));
  }
  return false;
}

function signed(issuer: X509Certificate, certificate: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}

function isValid(certificate: X509Certificate, now: number): boolean {
  return certificate.validFromDate.getTime() <= now && now < notAfter(certificate);
}

function readAll(pem: string): readonly X509Certificate[] {
  try {
    return (pem.match(CERTIFICATE) ?? []).map((block) => new X509Certificate(block));
  } catch {
    return [];
  }
}
