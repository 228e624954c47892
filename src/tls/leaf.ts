import { X509Certificate } from "node:crypto";
import type { Logger } from "../telemetry/logger.ts";
import type { Authority } from "./authority.ts";
import { issueLeaf } from "./issue.ts";
import { createListeners } from "../kube/listeners.ts";
import { joinBundle, notAfter } from "./pem.ts";
import { repeat } from "../kube/repeat.ts";
import type { CertificateSource, ServingCertificate } from "./source.ts";

/** How one replica signs and renews its own leaf. */
export interface LeafOptions {
  /** Reads the shared authority; `known` is what this replica used so far. */
  readonly authority: (known?: Authority) => Promise<Authority>;
  /** True when the API server already trusts what this authority signs; only then a running replica changes over to it. */
  readonly isPublished: (authority: Authority) => boolean;
  /** DNS names and IP addresses under which we are called. */
  readonly names: readonly string[];
  readonly log: Logger;
  /** Ends the renewals. */
  readonly signal: AbortSignal;
  readonly lifetimeMs?: number;
  readonly checkEveryMs?: number;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

const DAY_MS = 86_400_000;

/** DNS names of a Service, as the API server and others in the cluster call it. */
export function serviceNames(service: string, namespace: string): readonly string[] {
  return [`${service}.${namespace}.svc`, `${service}.${namespace}.svc.cluster.local`];
}

/**
 * Signs a leaf in memory and renews it when two thirds of its life are over, or when the authority has a new generation. Resolves
 * with the first leaf; throws when the authority cannot be had. Later failures are logged and tried again at the next check.
 */
export async function openLeafSource(options: LeafOptions): Promise<CertificateSource> {
  const { names, log, signal, lifetimeMs = 30 * DAY_MS, now = Date.now } = options;
  const listeners = createListeners();
  let authority = await options.authority();
  let renewAt = 0;
  let current = await issue();

  async function issue(): Promise<ServingCertificate> {
    const from = now();
    const to = Math.min(from + lifetimeMs, notAfter(new X509Certificate(authority.cert)));
    const leaf = await issueLeaf(authority, names, { from, to });
    renewAt = from + ((to - from) * 2) / 3;
    return { ...leaf, caBundle: authority.bundle, notAfter: to };
  }

  async function check(): Promise<void> {
    const stored = await options.authority(authority);
    const isNew = stored.cert !== authority.cert;
    if (isNew && !options.isPublished(stored)) {
      // Both are published first: the new one, and ours for as long as we serve under it.
      offer({ ...current, caBundle: joinBundle([stored.bundle, authority.cert], now()) });
      return;
    }
    authority = stored;
    if (isNew || now() >= renewAt) {
      offer(await issue());
      log.info({ notAfter: new Date(current.notAfter).toISOString() }, "Renewed the certificate");
    } else {
      offer({ ...current, caBundle: authority.bundle });
    }
  }

  function offer(next: ServingCertificate): void {
    if (next.cert === current.cert && next.caBundle === current.caBundle) return;
    current = next;
    listeners.callAll();
  }

  void repeat(check, {
    everyMs: options.checkEveryMs ?? 60_000,
    signal,
    onError: (err) => log.error({ err }, "Cannot renew the certificate"),
  });
  return {
    current: () => current,
    onChange: listeners.add,
  };
}
