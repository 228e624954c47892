import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { decide } from "../../src/admission/decide.ts";
import type { Snapshot } from "../../src/admission/snapshot.ts";
import type { AdmissionRequest } from "../../src/api/review.ts";
import { createLogger } from "../../src/telemetry/logger.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { createApp } from "../../src/webhook/app.ts";
import { createHandler, type HandlerOptions } from "../../src/webhook/handler.ts";
import { createReadiness } from "../../src/webhook/readiness.ts";
import { gatherFrom, indexOf } from "./gather.ts";

/** The parts of the webhook that a test may break. */
export interface Parts {
  readonly decide: HandlerOptions["decide"];
  readonly gather: HandlerOptions["gather"];
  readonly createHandler: typeof createHandler;
}

/** The webhook, listening, and what was seen inside it. */
export interface FuzzServer {
  readonly port: number;
  /** The reasons that were given so far, warnings' too. */
  readonly reasons: ReadonlySet<string>;
  /** The decision that took longest so far. */
  readonly slowest: { readonly milliseconds: number; readonly index: number | undefined };
  /** Forgets and gives the error that was logged about a review; without an index, about one that can not be told. */
  takeError(index?: number): Error | undefined;
  close(): Promise<void>;
}

/** Longest that the webhook waits for what it gathers. */
const DEADLINE_MS = 60_000;

/** Longest that a decision, or to find out what it refers to, may keep the processor from other reviews. */
const MAX_MS = 2_000;

/** Starts the real app with real handlers on a free port of 127.0.0.1. */
export async function startServer(
  snapshots: readonly Snapshot[],
  broken: Partial<Parts> = {},
): Promise<FuzzServer> {
  const parts: Parts = { decide, gather: gatherFrom(snapshots), createHandler, ...broken };
  const reasons = new Set<string>();
  const errors = new Map<number | undefined, Error>();
  const slowest = { milliseconds: 0, index: undefined as number | undefined };
  const metrics = createMetrics();
  // Lines are written, so that hostile fields go the whole way, and read by nobody.
  const logger = createLogger({ level: "info", destination: { write: () => {} } });
  /** What the work took of the processor, whatever else ran meanwhile; the index is undefined for a review without ours. */
  const measured = <T>(request: AdmissionRequest, work: () => T): T => {
    const before = process.threadCpuUsage();
    try {
      return work();
    } finally {
      const { user, system } = process.threadCpuUsage(before);
      const milliseconds = (user + system) / 1000;
      const index = indexOf(request.uid);
      if (milliseconds > slowest.milliseconds) Object.assign(slowest, { milliseconds, index });
      if (milliseconds > MAX_MS) {
        errors.set(index, new Error(`it took ${milliseconds.toFixed(0)} ms of the processor`));
      }
    }
  };
  const options: Omit<HandlerOptions, "endpoint"> = {
    gather: async (request, signal) => measured(request, async () => parts.gather(request, signal)),
    decide: (request, snapshot) => measured(request, () => parts.decide(request, snapshot)),
    metrics: {
      ...metrics,
      admitted(facts) {
        reasons.add(facts.reason);
        metrics.admitted(facts);
      },
      warned(reason) {
        reasons.add(reason);
        metrics.warned(reason);
      },
    },
    log: {
      debug: (fields, message) => logger.debug(fields, message),
      info: (fields, message) => logger.info(fields, message),
      warn: (fields, message) => logger.warn(fields, message),
      error(fields, message) {
        const { uid, err } = fields as { readonly uid?: string; readonly err?: Error };
        if (err !== undefined) errors.set(indexOf(uid), err);
        logger.error(fields, message);
      },
    },
  };
  const app = createApp({
    mutate: parts.createHandler({ ...options, endpoint: "mutate" }),
    mutateBound: parts.createHandler({ ...options, endpoint: "mutate" }),
    validate: parts.createHandler({ ...options, endpoint: "validate" }),
    hint: parts.createHandler({ ...options, endpoint: "hint" }),
    readiness: createReadiness([]),
    log: options.log,
    deadlineMs: DEADLINE_MS,
  });
  const server = createServer(app);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    reasons,
    slowest,
    takeError(index) {
      const error = errors.get(index);
      errors.delete(index);
      return error;
    },
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}
