import type { EventEmitter } from "node:events";
import { answerTo, stackOf } from "./answer.ts";
import { openConnection, type Connection } from "./connection.ts";
import { bytesInUse } from "./memory.ts";
import { addCrash, emptyOutcome, type Crash, type Outcome } from "./outcome.ts";
import { makeReview } from "./review.ts";
import { readCorpus } from "./seeds.ts";
import { startServer, type Parts } from "./server.ts";

/** Which reviews are sent: so many of a seed, or every `step`th of them, from the index `first`. */
export interface Campaign {
  readonly seed: number;
  readonly count: number;
  readonly first?: number;
  readonly step?: number;
}

/** What they are sent to. */
export interface Surroundings {
  /** Parts of the webhook in place of the real ones. */
  readonly broken?: Partial<Parts>;
  /** Whose uncaught errors are crashes. */
  readonly process: Pick<EventEmitter, "on" | "off">;
  /** Called now and then. */
  readonly progress?: (sent: number, crashes: number) => void;
}

/** Bytes that may be in use at the end and were not after the warm-up: caches fill, code is compiled. */
const MAX_GROWTH = 16 * 2 ** 20;

const CONNECTIONS = 16;
/** Share of the reviews after which memory is looked at first. */
const WARM_UP = 0.1;
/** Reviews between two calls of `progress`. */
const PROGRESS = 500;

/** Sends the reviews to a webhook of its own, over a few connections, and judges every answer. */
export async function runCampaign(
  { seed, count, first = 0, step = 1 }: Campaign,
  surroundings: Surroundings,
): Promise<Outcome> {
  const corpus = readCorpus();
  const server = await startServer(corpus.snapshots, surroundings.broken);
  const connections = Array.from({ length: CONNECTIONS }, () => openConnection(server.port));
  const outcome = emptyOutcome();
  const report = (crash: Crash): void => addCrash(outcome, crash);
  const onError = (error: unknown): void => report({ cause: `uncaught: ${stackOf(error)}` });
  const events = ["uncaughtException", "unhandledRejection"] as const;
  for (const event of events) surroundings.process.on(event, onError);

  let next = first;
  async function sendUntil(connection: Connection, end: number): Promise<void> {
    while (next < end) {
      const review = makeReview(seed, next, corpus);
      next += step;
      const verdict = await answerTo(review, connection, server);
      outcome.answers[verdict.is]++;
      if (verdict.is === "allowed" && verdict.again !== undefined) outcome.patched++;
      if (verdict.is === "crash") {
        const { index, endpoint, made } = review;
        report({ review: { index, endpoint, made }, cause: verdict.cause });
      }
      if (++outcome.sent % PROGRESS === 0) {
        surroundings.progress?.(outcome.sent, outcome.crashes);
      }
    }
  }
  const sendAll = async (end: number): Promise<unknown> =>
    Promise.all(connections.map(async (connection) => sendUntil(connection, end)));

  try {
    await sendAll(Math.ceil(count * WARM_UP));
    outcome.memory.warm = await bytesInUse();
    await sendAll(count);
    outcome.memory.end = await bytesInUse();
    const growth = outcome.memory.end - outcome.memory.warm;
    if (growth > MAX_GROWTH) {
      report({
        cause: `${(growth / 2 ** 20).toFixed(1)} MiB more are in use than after the warm-up`,
      });
    }
    return { ...outcome, reasons: [...server.reasons], slowest: { ...server.slowest } };
  } finally {
    for (const connection of connections) connection.close();
    await server.close();
    for (const event of events) surroundings.process.off(event, onError);
  }
}
