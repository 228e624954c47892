import { vi } from "vitest";
import { allow, type Decision } from "../../../src/admission/decision.ts";
import type { AdmissionRequest } from "../../../src/api/review.ts";
import type { JobKind } from "../../../src/jobs/job-kind.ts";
import { JOB_KINDS } from "../../../src/jobs/kinds.ts";
import type { ApiServer } from "../../../src/kube/client.ts";
import { resources } from "../../../src/kube/resources.ts";
import { create } from "../../../src/kube/write.ts";
import type { Logger } from "../../../src/telemetry/logger.ts";
import { createMetrics } from "../../../src/telemetry/metrics.ts";
import { loadAuthority } from "../../../src/tls/authority.ts";
import {
  followConfigurations,
  keepPublished,
  type LiveConfigurations,
} from "../../../src/tls/ca-bundle.ts";
import { openLeafSource } from "../../../src/tls/leaf.ts";
import type { CertificateSource } from "../../../src/tls/source.ts";
import { createApp } from "../../../src/webhook/app.ts";
import { createHandler } from "../../../src/webhook/handler.ts";
import { createReadiness, type Readiness } from "../../../src/webhook/readiness.ts";
import { webhookConfigurations } from "../../../src/webhook/registrations.ts";
import { startWebhookServer, type RunningServer } from "../../../src/webhook/server.ts";
import { makeSnapshot } from "../../make/snapshot.ts";

export const NAMESPACE = "modelhook-system";
export const NAME = "modelhook";

/** One call that reached a replica. */
interface Seen {
  readonly endpoint: "mutate" | "validate" | "hint";
  readonly request: AdmissionRequest;
}

/** A webhook process without controller, within the test's own. */
export interface Replica {
  readonly source: CertificateSource;
  readonly live: LiveConfigurations;
  readonly readiness: Readiness<"caBundle">;
  readonly webhook: RunningServer;
  /** What came, oldest first. */
  readonly seen: Seen[];
  /** Waits until the API server calls us for our kinds: it takes new configurations a moment after it has stored them. */
  isCalled(): Promise<void>;
  /** Publishes configurations that lead to this URL, as a leader does; until the replica stops. */
  lead(url: string): void;
  stop(): Promise<void>;
}

/** Starts a replica; what it answers is the test's to say. */
export async function startReplica(
  api: ApiServer,
  log: Logger,
  decide: (request: AdmissionRequest) => Decision = () => allow("Valid"),
  jobKinds: readonly JobKind[] = JOB_KINDS,
): Promise<Replica> {
  const stop = new AbortController();
  const { signal } = stop;
  const live = followConfigurations(api, { name: NAME, log, signal });
  const source = await openLeafSource({
    authority: async (known) =>
      loadAuthority(api, { namespace: NAMESPACE, known, now: Date.now(), log }),
    isPublished: ({ cert }) => live.trust(cert),
    names: ["127.0.0.1"],
    log,
    signal,
    checkEveryMs: 50,
  });
  const readiness = createReadiness(["caBundle"]);
  const look = (): void => {
    if (live.trust(source.current().cert)) readiness.set("caBundle", true);
    else readiness.set("caBundle", false, "the webhook configurations trust another authority");
  };
  live.onChange(look);
  source.onChange(look);
  look();

  const seen: Seen[] = [];
  const handlerOf = (endpoint: Seen["endpoint"]) =>
    createHandler({
      endpoint,
      gather: async (request) => {
        seen.push({ endpoint, request });
        return makeSnapshot();
      },
      decide,
      metrics: createMetrics(),
      log,
    });
  const app = createApp({
    mutate: handlerOf("mutate"),
    mutateBound: handlerOf("mutate"),
    validate: handlerOf("validate"),
    hint: handlerOf("hint"),
    readiness,
    log,
    deadlineMs: 4500,
  });
  const webhook = await startWebhookServer(app, { host: "127.0.0.1", port: 0, source });
  let published: Promise<void> | undefined;
  return {
    source,
    live,
    readiness,
    webhook,
    seen,
    lead(url) {
      const registration = { name: NAME, namespace: NAMESPACE, endpoint: { url }, jobKinds };
      const wanted = (caBundle: string) => webhookConfigurations({ ...registration, caBundle });
      published = keepPublished(api, { live, source, wanted, log, signal });
    },
    async isCalled() {
      await vi.waitUntil(
        async () => {
          const probe = { metadata: { generateName: "probe-", namespace: "default" } };
          await create(api, resources.models, probe, { dryRun: true });
          // Each configuration takes its own moment.
          return new Set(seen.map(({ endpoint }) => endpoint)).size === 2;
        },
        { timeout: 20_000, interval: 100 },
      );
    },
    async stop() {
      stop.abort(new Error("the test is over"));
      await webhook.close(0);
      await published;
    },
  };
}
