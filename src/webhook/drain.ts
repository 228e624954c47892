import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "../telemetry/logger.ts";
import type { Readiness } from "./readiness.ts";
import type { RunningServer } from "./server.ts";

/** Who is to stop, and how patiently. */
export interface DrainOptions {
  readonly readiness: Pick<Readiness<never>, "startDraining">;
  readonly webhook: RunningServer;
  /** Goes last, so that probes are answered until the end. */
  readonly probes: RunningServer;
  /** How long requests are still served as before: until every API server knows that we are not ready. */
  readonly graceMs: number;
  /** How long requests may take after that. */
  readonly finishMs: number;
  readonly log: Logger;
}

/**
 * Stops without losing a request:
 *
 *     not ready --> grace: every answer ends its connection, so that callers move on --> no new connection --> last answers --> done
 */
export async function drain(options: DrainOptions): Promise<void> {
  const { readiness, webhook, probes, graceMs, finishMs, log } = options;
  log.info({ graceMs }, "Draining");
  readiness.startDraining();
  await sleep(graceMs);
  await webhook.close(finishMs);
  await probes.close(0);
  log.info({}, "Drained");
}
