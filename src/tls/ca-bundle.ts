import { once } from "node:events";
import { isDeepStrictEqual } from "node:util";
import { setTimeout as sleep } from "node:timers/promises";
import { backoffDelay } from "../kube/backoff.ts";
import type { ApiServer } from "../kube/client.ts";
import { isAlreadyExists, isConflict } from "../kube/errors.ts";
import { startInformer, type Informer } from "../kube/informer.ts";
import { resources } from "../kube/resources.ts";
import { createStore } from "../kube/store.ts";
import { create, update } from "../kube/write.ts";
import type { Logger } from "../telemetry/logger.ts";
import { createListeners } from "../kube/listeners.ts";
import { isTrusted } from "./pem.ts";
import type { CertificateSource } from "./source.ts";

/** A MutatingWebhookConfiguration or a ValidatingWebhookConfiguration, every default written out. */
export interface WebhookConfiguration {
  readonly apiVersion?: string;
  readonly kind: keyof typeof RESOURCES;
  readonly metadata: {
    readonly name: string;
    readonly labels?: { [key: string]: string };
    readonly resourceVersion?: string;
  };
  readonly webhooks?: readonly Webhook[];
}

interface Webhook {
  readonly name: string;
  /** `caBundle` is base64 of PEM. */
  readonly clientConfig: { readonly caBundle?: string };
}

const RESOURCES = {
  MutatingWebhookConfiguration: resources.mutatingwebhookconfigurations,
  ValidatingWebhookConfiguration: resources.validatingwebhookconfigurations,
} as const;

/** Our two webhook configurations as the API server has them now. */
export interface LiveConfigurations {
  /** Resolves when both have been looked for once; rejects with the signal's reason when stopped before. */
  readonly synced: Promise<void>;
  get(kind: WebhookConfiguration["kind"]): WebhookConfiguration | undefined;
  /** True when both exist and all their webhooks trust this chain of PEM certificates. */
  trust(chain: string): boolean;
  /** Calls the listener after every change of either, until the signal when there is one. */
  readonly onChange: (listener: () => void, until?: AbortSignal) => void;
}

/** Follows both configurations of that name until the signal; every replica does. */
export function followConfigurations(
  api: ApiServer,
  options: { readonly name: string; readonly log: Logger; readonly signal: AbortSignal },
): LiveConfigurations {
  const { name, log, signal } = options;
  const listeners = createListeners();
  const stores = {
    MutatingWebhookConfiguration: createStore<WebhookConfiguration>(),
    ValidatingWebhookConfiguration: createStore<WebhookConfiguration>(),
  };
  const kinds = Object.keys(RESOURCES) as WebhookConfiguration["kind"][];
  const informers = kinds.map((kind) =>
    startInformer<WebhookConfiguration>(api, RESOURCES[kind], {
      store: stores[kind],
      fieldSelector: `metadata.name=${name}`,
      onChange: listeners.callAll,
      log,
      signal,
    }),
  );
  const synced = untilSynced(informers);
  // Whoever awaits it still gets the rejection; nobody has to.
  synced.catch(() => {});
  return {
    synced,
    get: (kind) => stores[kind].get(undefined, name),
    trust: (chain) =>
      kinds.every((kind) => {
        const webhooks = stores[kind].get(undefined, name)?.webhooks ?? [];
        return webhooks.length > 0 && webhooks.every((webhook) => trusts(webhook, chain));
      }),
    onChange: listeners.add,
  };
}

/** What the leader publishes, and from what. */
export interface PublishOptions {
  readonly live: LiveConfigurations;
  readonly source: CertificateSource;
  /** Both configurations with this bundle (PEM) in every webhook. */
  readonly wanted: (caBundle: string) => readonly WebhookConfiguration[];
  readonly log: Logger;
  /** Ends it; the configurations stay. */
  readonly signal: AbortSignal;
}

/** Looked at again although nobody said that anything changed. */
const RESYNC_MS = 60_000;
/** Somebody who changes the configurations each time we do is answered ever more slowly. */
const REPAIR_BACKOFF = { baseMs: 250, maxMs: RESYNC_MS };

/**
 * Makes the live configurations equal to the wanted ones, now and after every change of theirs or of the bundle, until the signal.
 * For the leader alone. Failures are logged and tried again.
 */
export async function keepPublished(api: ApiServer, options: PublishOptions): Promise<void> {
  const { live, source, log, signal } = options;
  let wake = new AbortController();
  const changed = (): void => wake.abort();
  live.onChange(changed, signal);
  source.onChange(changed, signal);
  try {
    // What was never listed must not be taken for missing.
    await Promise.race([live.synced, ended(signal)]);
  } catch {
    return;
  }
  let attempts = 0;
  while (!signal.aborted) {
    wake = new AbortController();
    let isSettled = false;
    try {
      isSettled = await publish(api, options);
    } catch (err) {
      if (signal.aborted) return;
      log.error({ err }, "Cannot publish the webhook configurations");
    }
    attempts = isSettled ? 0 : attempts + 1;
    const pauseMs = isSettled ? RESYNC_MS : backoffDelay(attempts, REPAIR_BACKOFF);
    const until = isSettled ? AbortSignal.any([signal, wake.signal]) : signal;
    await sleep(pauseMs, undefined, { signal: until, ref: false }).catch(() => {});
  }
}

/** True when all was as wanted already. */
async function publish(api: ApiServer, options: PublishOptions): Promise<boolean> {
  const { live, source, wanted } = options;
  let isSettled = true;
  for (const configuration of wanted(source.current().caBundle)) {
    const isDrifted = await repair(api, live.get(configuration.kind), configuration, options);
    isSettled &&= !isDrifted;
  }
  return isSettled;
}

/** True when something had to be written. */
async function repair(
  api: ApiServer,
  live: WebhookConfiguration | undefined,
  wanted: WebhookConfiguration,
  { log, signal }: PublishOptions,
): Promise<boolean> {
  const { kind, metadata, webhooks } = wanted;
  const resource = RESOURCES[kind];
  try {
    if (live === undefined) {
      await create(api, resource, wanted, { signal });
      log.info({ kind, name: metadata.name }, "Created the webhook configuration");
      return true;
    }
    const labels = { ...live.metadata.labels, ...metadata.labels };
    if (
      isDeepStrictEqual(live.webhooks, webhooks) &&
      isDeepStrictEqual(live.metadata.labels ?? {}, labels)
    ) {
      return false;
    }
    // Replaced whole, since a condition that somebody added would switch a webhook off.
    const next = { ...live, metadata: { ...live.metadata, labels }, webhooks };
    await update(api, resource, next as WebhookConfiguration, { signal });
    log.warn({ kind, name: metadata.name }, "Repaired the webhook configuration");
    return true;
  } catch (error) {
    // Our view was old: look again.
    if (isAlreadyExists(error) || isConflict(error)) return true;
    throw error;
  }
}

async function untilSynced(informers: readonly Informer[]): Promise<void> {
  await Promise.all(informers.map(async (informer) => informer.synced));
}

async function ended(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, "abort");
}

function trusts(webhook: Webhook, chain: string): boolean {
  const bundle = Buffer.from(webhook.clientConfig.caBundle ?? "", "base64").toString("utf8");
  return isTrusted(chain, bundle, Date.now());
}
