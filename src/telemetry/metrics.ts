import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";

/** What became of one admission request. */
interface AdmissionFacts {
  readonly endpoint: "mutate" | "validate" | "hint";
  readonly kind: string;
  readonly operation: string;
  readonly allowed: boolean;
  /** A code of the reasons table. */
  readonly reason: string;
  readonly seconds: number;
}

/** The measurements of one process; pure code returns facts, and its caller reports them here. */
export interface Metrics {
  admitted(facts: AdmissionFacts): void;
  /** A warning went out with an answer; a code of the reasons table. */
  warned(reason: string): void;
  /** The serving certificate in use ends then, milliseconds since the epoch. */
  certificateEnds(notAfter: number): void;
  /** The file of limits was looked at, and is valid or not; milliseconds since the epoch. */
  limitsRead(isValid: boolean, at: number): void;
  /** Whether this replica leads. */
  leads(isLeader: boolean): void;
  /** Whether this replica sees a KubeDL that runs. */
  kubeDlPresent(isPresent: boolean): void;
  /** So many running pods were made without what a binding, or an annotation of their own, asks for. */
  notInjected(askedBy: "binding" | "annotation", pods: number): void;
  queued(queue: string, depth: number): void;
  reconciled(queue: string, outcome: "done" | "retried" | "failed", seconds: number): void;
  /** A build ended for good; bytes of the image when it succeeded. */
  built(reason: string, seconds: number, bytes?: number): void;
  /** The Prometheus text of everything, and its content type. */
  expose(): Promise<{ readonly text: string; readonly contentType: string }>;
}

/** An admission is 1 ms of work; above 5 s, its time limit, nobody waits any more. */
const ADMISSION_SECONDS = [0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];
const RECONCILE_SECONDS = [0.005, 0.025, 0.1, 0.5, 2.5, 10, 30];
/** A small image takes seconds, a large model an hour. */
const BUILD_SECONDS = [5, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200];

/** Makes the registry of a process; each call is independent, so that tests do not meet in a global one. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const requests = new Counter({
    name: "modelhook_admission_requests_total",
    help: "Admission requests answered, by outcome.",
    labelNames: ["endpoint", "kind", "operation", "allowed", "reason"] as const,
    registers,
  });
  const warnings = new Counter({
    name: "modelhook_admission_warnings_total",
    help: "Warnings sent with admission answers, by reason.",
    labelNames: ["reason"] as const,
    registers,
  });
  const latency = new Histogram({
    name: "modelhook_admission_duration_seconds",
    help: "Time from the whole request body to the answer.",
    labelNames: ["endpoint", "kind", "operation"] as const,
    buckets: ADMISSION_SECONDS,
    registers,
  });
  const certificate = new Gauge({
    name: "modelhook_certificate_expiry_timestamp_seconds",
    help: "When the serving certificate ends, in seconds since the epoch.",
    registers,
  });
  const limitsValid = new Gauge({
    name: "modelhook_config_last_reload_successful",
    help: "1 while the file of limits is valid; 0 while it is not and the last valid ones are in force.",
    registers,
  });
  const limitsTaken = new Gauge({
    name: "modelhook_config_last_reload_success_timestamp_seconds",
    help: "When limits came into force last, in seconds since the epoch.",
    registers,
  });
  const leader = new Gauge({
    name: "modelhook_leader",
    help: "1 while this replica is the leader.",
    registers,
  });
  const kubeDl = new Gauge({
    name: "modelhook_kubedl_present",
    help: "1 while this replica sees KubeDL running; then the leader builds nothing, unless it was told to take over.",
    registers,
  });
  const missed = new Gauge({
    name: "modelhook_pods_not_injected",
    help: "Running pods that were made without what is asked for them, by who asks, as the leader saw last; 0 on other replicas.",
    labelNames: ["asked_by"] as const,
    registers,
  });
  for (const askedBy of ["binding", "annotation"]) missed.set({ asked_by: askedBy }, 0);
  const depth = new Gauge({
    name: "modelhook_queue_depth",
    help: "Objects that wait to be reconciled.",
    labelNames: ["queue"] as const,
    registers,
  });
  const reconciles = new Histogram({
    name: "modelhook_reconcile_duration_seconds",
    help: "Time of one reconcile pass, by outcome.",
    labelNames: ["queue", "outcome"] as const,
    buckets: RECONCILE_SECONDS,
    registers,
  });
  const builds = new Histogram({
    name: "modelhook_build_duration_seconds",
    help: "Time from the start of a build to its end, by reason of the end.",
    labelNames: ["reason"] as const,
    buckets: BUILD_SECONDS,
    registers,
  });
  const builtBytes = new Counter({
    name: "modelhook_build_bytes_total",
    help: "Bytes of the images built.",
    registers,
  });
  return {
    admitted({ endpoint, kind, operation, allowed, reason, seconds }) {
      requests.inc({ endpoint, kind, operation, allowed: String(allowed), reason });
      latency.observe({ endpoint, kind, operation }, seconds);
    },
    warned: (reason) => warnings.inc({ reason }),
    certificateEnds: (notAfter) => certificate.set(notAfter / 1000),
    limitsRead(isValid, at) {
      limitsValid.set(isValid ? 1 : 0);
      if (isValid) limitsTaken.set(at / 1000);
    },
    leads: (isLeader) => leader.set(isLeader ? 1 : 0),
    kubeDlPresent: (isPresent) => kubeDl.set(isPresent ? 1 : 0),
    notInjected: (askedBy, pods) => missed.set({ asked_by: askedBy }, pods),
    queued: (queue, waiting) => depth.set({ queue }, waiting),
    reconciled: (queue, outcome, seconds) => reconciles.observe({ queue, outcome }, seconds),
    built(reason, seconds, bytes = 0) {
      builds.observe({ reason }, seconds);
      builtBytes.inc(bytes);
    },
    expose: async () => ({
      text: await registry.metrics(),
      contentType: registry.contentType,
    }),
  };
}
