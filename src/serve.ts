import type { Builders } from "./builder/builder.ts";
import { directBuilder } from "./builder/direct.ts";
import { kanikoBuilder } from "./builder/kaniko.ts";
import type { Config } from "./config.ts";
import { createApplier } from "./controller/apply.ts";
import { buildReconcilers } from "./controller/build-reconcilers.ts";
import { injectionReconcilers } from "./controller/injection-reconcilers.ts";
import { watchLimits } from "./controller/limits.ts";
import { podReconcilers } from "./controller/pod-reconcilers.ts";
import { aborted, runController } from "./controller/run.ts";
import { startStandby, type Standby } from "./controller/standby.ts";
import { decide, decideHint } from "./admission/decide.ts";
import { createAdmissionStores, type AdmissionStores } from "./gather/admission-stores.ts";
import { followCluster, type Following } from "./gather/follow.ts";
import { observeKubeDl } from "./gather/kubedl.ts";
import type { LimitsSource } from "./gather/limits.ts";
import { gatherSnapshot } from "./gather/snapshot.ts";
import { createStores } from "./gather/stores.ts";
import { connect, type ApiServer } from "./kube/client.ts";
import { runElection, type Election } from "./kube/election.ts";
import { untilReached } from "./kube/retry.ts";
import { createLogger, type Logger } from "./telemetry/logger.ts";
import { createMetrics, type Metrics } from "./telemetry/metrics.ts";
import { loadAuthority } from "./tls/authority.ts";
import { followConfigurations, keepPublished, type LiveConfigurations } from "./tls/ca-bundle.ts";
import { openFileSource } from "./tls/file-source.ts";
import { openLeafSource, serviceNames } from "./tls/leaf.ts";
import type { CertificateSource } from "./tls/source.ts";
import { createApp, createProbeApp } from "./webhook/app.ts";
import { drain } from "./webhook/drain.ts";
import { createHandler } from "./webhook/handler.ts";
import { createReadiness, type Readiness } from "./webhook/readiness.ts";
import { webhookConfigurations, type RegistrationOptions } from "./webhook/registrations.ts";
import { startProbeServer, startWebhookServer } from "./webhook/server.ts";

const BUILDERS: Builders = { kaniko: kanikoBuilder, direct: directBuilder };

/** Name of the Service, the Lease, the ConfigMap of limits and the webhook configurations. */
const NAME = "modelhook";

/** Shorter than the 5 s that the API server waits, so that the answer still arrives. */
const DEADLINE_MS = 4000;

/** What a request that is under way may take when the server stops. */
const DRAIN_FINISH_MS = 5000;

const CERTIFICATE_LOOK_MS = 60_000;

/** Where a process listens, and how the API server reaches it. */
export interface ServeOptions {
  readonly httpsPort: number;
  readonly probePort: number;
  /** `https://host:port` of a process outside of the cluster; our Service when absent. */
  readonly url: string | undefined;
  /** Time in which every API server learns that a stopping replica is not ready. */
  readonly drainGraceMs: number;
  /** Build although KubeDL runs. */
  readonly takeover: boolean;
  /** Stops the process, orderly. */
  readonly signal: AbortSignal;
}

/** Runs the webhook, and the controller while this replica leads, until the signal aborts. */
export async function serve(config: Config, options: ServeOptions): Promise<void> {
  const log = createLogger({ level: config.logLevel });
  const metrics = createMetrics();
  const readiness = createReadiness(["certificate", "configurations", "caches"]);
  const stopping = new AbortController();
  const { signal } = stopping;
  const api = await connect(credentialsOf(config));
  const probes = await startProbeServer(createProbeApp({ readiness, metrics, log }), {
    port: options.probePort,
  });

  const stores = createAdmissionStores();
  const following = followCluster(api, { stores, log, signal });
  following.synced.then(
    () => readiness.set("caches", true),
    () => {},
  );
  const standby = startStandby({
    observe: async (until) => observeKubeDl({ api, now: Date.now }, until),
    takeover: options.takeover,
    metrics,
    log,
    signal,
  });
  const live = followConfigurations(api, { name: NAME, log, signal });
  const source = await openCertificates(config, options, { api, live, log, signal });
  watchCertificate(source, live, readiness, metrics);

  const limits = watchLimits(config, { api, name: NAME, metrics, log, signal, now: Date.now });
  const endpoint = { api, stores, limits, standby, metrics, log };
  const app = createApp({
    mutate: handlerOf("mutate", endpoint),
    mutateBound: handlerOf("mutate", endpoint, true),
    validate: handlerOf("validate", endpoint),
    hint: handlerOf("hint", endpoint),
    readiness,
    log,
    deadlineMs: DEADLINE_MS,
  });
  const webhook = await startWebhookServer(app, { port: options.httpsPort, source });
  const election = lead(config, options, {
    api,
    stores,
    following,
    limits,
    live,
    source,
    standby,
    metrics,
    log,
    signal,
  });
  log.info({ https: webhook.port, probes: probes.port }, "Serving");

  await aborted(options.signal);
  // Leadership goes first, so that another replica builds on while this one still answers.
  stopping.abort(new Error("the process was asked to stop"));
  await Promise.all([
    election.stopped,
    standby.stopped,
    drain({
      readiness,
      webhook,
      probes,
      graceMs: options.drainGraceMs,
      finishMs: DRAIN_FINISH_MS,
      log,
    }),
  ]);
  await api.close();
}

async function openCertificates(
  { limits: { certificateDirectory: directory }, identity: { systemNamespace: namespace } }: Config,
  { url, signal: stop }: ServeOptions,
  { api, live, log, signal }: Pick<Parts, "api" | "live" | "log" | "signal">,
): Promise<CertificateSource> {
  if (directory !== undefined) return openFileSource({ directory, log, signal });
  return openLeafSource({
    authority: async (known) =>
      untilReached(async () => loadAuthority(api, { namespace, known, now: Date.now(), log }), {
        log,
        signal: stop,
      }),
    isPublished: (authority) => live.trust(authority.cert),
    names: [...serviceNames(NAME, namespace), ...hostOf(url)],
    log,
    signal,
  });
}

interface Parts {
  readonly api: ApiServer;
  readonly stores: AdmissionStores;
  readonly following: Following;
  readonly limits: LimitsSource;
  readonly live: LiveConfigurations;
  readonly source: CertificateSource;
  readonly standby: Standby;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

function lead(config: Config, { url }: ServeOptions, parts: Parts): Election {
  const { api, following, limits, live, source, standby, metrics, log } = parts;
  const namespace = config.identity.systemNamespace;
  const { jobKinds } = config.limits.policy;
  const now = Date.now;
  const applier = createApplier({
    api,
    instance: config.instance,
    jobKinds,
    log,
    now,
    failPoint: config.failPoint,
    die: () => process.exit(1),
  });
  const endpoint = url === undefined ? { service: NAME } : { url };
  const registration: Omit<RegistrationOptions, "caBundle"> = {
    name: NAME,
    namespace,
    endpoint,
    jobKinds,
  };
  return runElection({
    api,
    namespace,
    name: NAME,
    identity: config.instance,
    log,
    signal: parts.signal,
    onStarted: async (signal) => {
      metrics.leads(true);
      const stores = createStores(parts.stores, jobKinds);
      const sources = { api, stores, limits: () => limits.current(), now };
      standby.tellBy(applier, signal);
      const builders = buildReconcilers(sources, BUILDERS, standby);
      await Promise.all([
        keepPublished(api, {
          live,
          source,
          wanted: (caBundle) => webhookConfigurations({ ...registration, caBundle }),
          log,
          signal,
        }),
        runController({
          api,
          stores,
          following,
          onLimits: limits.onChange,
          reconcilers: [
            ...podReconcilers(sources),
            ...builders,
            ...injectionReconcilers(sources, { metrics }),
          ],
          applier,
          standby,
          metrics,
          log,
          signal,
        }),
      ]);
    },
    onStopped: () => {
      metrics.leads(false);
      metrics.notInjected("binding", 0);
      metrics.notInjected("annotation", 0);
    },
  });
}

function handlerOf(
  endpoint: "mutate" | "validate" | "hint",
  parts: Pick<Parts, "api" | "stores" | "limits" | "standby" | "metrics" | "log">,
  isBound = false,
): ReturnType<typeof createHandler> {
  const { api, stores, limits, standby: kubeDl, metrics, log } = parts;
  return createHandler({
    endpoint,
    gather: async (request, signal) => {
      const { policy } = limits.current();
      const standby = kubeDl.isSeen();
      const sources = { api, stores, policy, standby, isBound, now: Date.now, signal };
      return gatherSnapshot(request, sources);
    },
    decide: endpoint === "hint" ? decideHint : decide,
    metrics,
    log,
  });
}

/** Ready only while the API server trusts what we serve with; looked at again in time, because certificates end quietly. */
function watchCertificate(
  source: CertificateSource,
  live: LiveConfigurations,
  readiness: Readiness<"certificate" | "configurations">,
  metrics: Metrics,
): void {
  const look = (): void => {
    const { cert, notAfter } = source.current();
    metrics.certificateEnds(notAfter);
    if (notAfter > Date.now()) readiness.set("certificate", true);
    else readiness.set("certificate", false, "it has ended and could not be renewed");
    if (live.trust(cert)) readiness.set("configurations", true);
    else {
      readiness.set("configurations", false, "the webhook configurations do not carry our CA yet");
    }
  };
  source.onChange(look);
  live.onChange(look);
  setInterval(look, CERTIFICATE_LOOK_MS).unref();
  look();
}

function credentialsOf(config: Config): Parameters<typeof connect>[0] {
  const { kubeconfigPath, inClusterServer } = config;
  if (kubeconfigPath !== undefined) return { kubeconfigPath };
  return inClusterServer === undefined ? {} : { inCluster: { server: inClusterServer } };
}

function hostOf(url: string | undefined): readonly string[] {
  return url === undefined ? [] : [new URL(url).hostname];
}
