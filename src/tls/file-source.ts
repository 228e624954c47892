import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Logger } from "../telemetry/logger.ts";
import { createListeners } from "../kube/listeners.ts";
import { isTrusted, notAfter, parseCertificates, parsePrivateKey } from "./pem.ts";
import { repeat } from "../kube/repeat.ts";
import type { CertificateSource, ServingCertificate } from "./source.ts";

/** Certificates that someone else keeps current, such as cert-manager in a mounted Secret. */
export interface FileSourceOptions {
  /** Holds `tls.crt` (leaf, then intermediates), `tls.key` and `ca.crt`. */
  readonly directory: string;
  readonly log: Logger;
  /** Ends the reloads. */
  readonly signal: AbortSignal;
  readonly checkEveryMs?: number;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

/**
 * Reads the files, and again every ten seconds: a mounted Secret changes by the rename of a link, which file events miss. Throws when
 * they cannot be used now; later the last good ones stay, and what is wrong is logged.
 */
export async function openFileSource(options: FileSourceOptions): Promise<CertificateSource> {
  const { directory, log, signal, checkEveryMs = 10_000, now = Date.now } = options;
  const listeners = createListeners();
  let current = await readFiles(directory, now());

  async function check(): Promise<void> {
    const next = await readFiles(directory, now());
    const keys = ["cert", "key", "caBundle"] as const;
    if (keys.every((key) => next[key] === current[key])) return;
    current = next;
    log.info({ directory, notAfter: new Date(next.notAfter).toISOString() }, "Read certificates");
    listeners.callAll();
  }

  void repeat(check, {
    everyMs: checkEveryMs,
    signal,
    onError: (err) => log.error({ err, directory }, "Cannot use the certificates; the last stay"),
  });
  return {
    current: () => current,
    onChange: listeners.add,
  };
}

async function readFiles(directory: string, now: number): Promise<ServingCertificate> {
  const labels = {
    cert: join(directory, "tls.crt"),
    key: join(directory, "tls.key"),
    ca: join(directory, "ca.crt"),
  };
  const [cert, key, caBundle] = await Promise.all([
    readFile(labels.cert, "utf8"),
    readFile(labels.key, "utf8"),
    readFile(labels.ca, "utf8"),
  ]);
  const [leaf] = parseCertificates(cert, labels.cert);
  parsePrivateKey(key, leaf, labels);
  parseCertificates(caBundle, labels.ca);
  if (notAfter(leaf) <= now) throw new Error(`${labels.cert} ended at ${leaf.validTo}`);
  if (!isTrusted(cert, caBundle, now)) {
    throw new Error(`${labels.cert} is not signed by a certificate of ${labels.ca}`);
  }
  return { cert, key, caBundle, notAfter: notAfter(leaf) };
}
