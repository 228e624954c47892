import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "../telemetry/logger.ts";
import type { ApiServer } from "./client.ts";
import { startDeadline } from "./deadline.ts";
import { isAlreadyExists, isConflict } from "./errors.ts";
import { createLeaseClient } from "./lease.ts";

/** How one candidate takes part; the defaults of the times are client-go's. */
export interface ElectionOptions {
  readonly api: ApiServer;
  readonly namespace: string;
  /** Name of the Lease. */
  readonly name: string;
  /** Shown to people, as the pod's name; a random part makes it unique. */
  readonly identity: string;
  /** How long others wait after the last renewal that they saw; default 15 s. */
  readonly leaseDurationMs?: number;
  /** How long after its last renewal a leader still leads; default 10 s. */
  readonly renewDeadlineMs?: number;
  /** Pause between attempts to take or renew; default 2 s. */
  readonly retryPeriodMs?: number;
  /** Leads until `signal` aborts, and settles when all of its work has stopped; a rejection gives the lease away. */
  readonly onStarted: (signal: AbortSignal) => Promise<void>;
  /** Called after each term, when its work has stopped. */
  readonly onStopped?: () => void;
  readonly log: Logger;
  /** Ends the candidacy: the term's work stops, then the lease is released. */
  readonly signal: AbortSignal;
}

/** A candidacy under way. */
export interface Election {
  /** Whether this process leads at this moment, by the clock: true also means that nobody else does. */
  isLeader(): boolean;
  /** Resolves after the last term's work has stopped and the lease is released; never rejects. */
  readonly stopped: Promise<void>;
}

/**
 * Takes part until the signal aborts, so that at most one candidate leads at any moment:
 *
 *     candidate --lease taken--> leader --stopped or work failed--> work stops --> lease released
 *         ^                        |
 *         +------ work stops <-----+ stolen, or not renewed within renewDeadlineMs
 *
 * A leader counts from before it asked for a renewal, others from when they saw it, each on its own monotonic clock;
 * the difference of leaseDurationMs and renewDeadlineMs is what the work has for stopping.
 */
export function runElection(options: ElectionOptions): Election {
  const { log, signal } = options;
  const leaseDurationMs = options.leaseDurationMs ?? 15_000;
  const renewDeadlineMs = options.renewDeadlineMs ?? 10_000;
  const retryPeriodMs = options.retryPeriodMs ?? 2_000;
  if (!(leaseDurationMs > renewDeadlineMs && renewDeadlineMs > retryPeriodMs)) {
    throw new Error(
      `A lease of ${leaseDurationMs} ms must outlast the renew deadline of ${renewDeadlineMs} ms, and that the retry period of ${retryPeriodMs} ms`,
    );
  }
  const holder = `${options.identity}_${randomUUID()}`;
  const lease = createLeaseClient({ ...options, holder, leaseDurationMs });
  const fields = { lease: `${options.namespace}/${options.name}`, holder };
  /** End of the time for which the lease is surely ours, on the monotonic clock. */
  let heldUntilMs = 0;
  let term: AbortController | undefined;

  /** One attempt; when it fails, what held before holds on. */
  async function tryHold(outer: AbortSignal): Promise<"held" | "lost" | "unknown"> {
    const askedMs = performance.now();
    // Half, so that one silent connection leaves time for another.
    const deadline = startDeadline(renewDeadlineMs / 2, outer);
    try {
      if (!(await lease.hold(deadline.signal))) return "lost";
      heldUntilMs = askedMs + renewDeadlineMs;
      return "held";
    } catch (err) {
      if (isConflict(err) || isAlreadyExists(err)) log.debug(fields, "Another wrote the lease");
      else if (!outer.aborted) log.warn({ ...fields, err }, "Cannot reach the lease");
      return "unknown";
    } finally {
      deadline.end();
    }
  }

  /** Renews until `done` aborts or the lease is lost. */
  async function keep(done: AbortSignal): Promise<void> {
    for (;;) {
      const deadline = startDeadline(Math.max(0, heldUntilMs - performance.now()), done);
      try {
        await pause(retryPeriodMs, deadline.signal);
        if (deadline.signal.aborted || (await tryHold(deadline.signal)) === "lost") return;
      } finally {
        deadline.end();
      }
    }
  }

  async function lead(): Promise<void> {
    const { promise: ended, resolve } = Promise.withResolvers<void>();
    const current = new AbortController();
    const drained = new AbortController();
    const end = (): void => {
      current.abort(new Error("The term has ended"));
      resolve();
    };
    term = current;
    signal.addEventListener("abort", end, { once: true });
    log.info(fields, "Leading");
    const renewal = keep(drained.signal).then(end);
    const work = doWork(current.signal, end);
    await ended;
    // Renewing goes on until the work has stopped, so that nobody else leads meanwhile.
    await work;
    drained.abort();
    await renewal;
    signal.removeEventListener("abort", end);
    try {
      options.onStopped?.();
    } catch (err) {
      log.error({ ...fields, err }, "Handler of a term's end failed");
    }
    if (performance.now() < heldUntilMs) await release();
    log.info(fields, "No longer leading");
  }

  async function doWork(termSignal: AbortSignal, end: () => void): Promise<void> {
    try {
      await options.onStarted(termSignal);
    } catch (err) {
      log.error({ ...fields, err }, "The leader's work failed");
      end();
    }
  }

  async function release(): Promise<void> {
    const deadline = startDeadline(renewDeadlineMs / 2);
    try {
      await lease.release(deadline.signal);
    } catch (err) {
      log.warn({ ...fields, err }, "Cannot release the lease; it ends by itself");
    } finally {
      deadline.end();
    }
  }

  async function run(): Promise<void> {
    while (!signal.aborted) {
      const answer = await tryHold(signal);
      if (answer === "held" && !signal.aborted) await lead();
      // An attempt that was cut off may have taken the lease.
      else if (answer !== "lost" && signal.aborted) await release();
      await pause(retryPeriodMs, signal);
    }
  }

  return {
    isLeader: () => term?.signal.aborted === false && performance.now() < heldUntilMs,
    stopped: run(),
  };
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => {});
}
