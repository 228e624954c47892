import type { Review } from "./review.ts";
import type { FuzzServer } from "./server.ts";
import type { Verdict } from "./verdict.ts";

/** A review that was not answered as it must be. */
export interface Crash {
  /** Absent for what no review can be blamed for. */
  readonly review?: Pick<Review, "index" | "endpoint" | "made">;
  readonly cause: string;
}

/** What became of the reviews. */
export interface Outcome {
  sent: number;
  readonly answers: Record<Verdict["is"], number>;
  /** Of those allowed, the ones with a patch. */
  patched: number;
  readonly reasons: readonly string[];
  /** The decision that took longest. */
  readonly slowest: FuzzServer["slowest"];
  /** Bytes in use after the warm-up, and at the end. */
  readonly memory: { warm: number; end: number };
  crashes: number;
  /** The first of them. */
  readonly examples: Crash[];
}

/** Crashes that are told one by one. */
const EXAMPLES = 10;

/** What has become of none. */
export function emptyOutcome(): Outcome {
  return {
    sent: 0,
    answers: { allowed: 0, denied: 0, refused: 0, crash: 0 },
    patched: 0,
    reasons: [],
    slowest: { milliseconds: 0, index: undefined },
    memory: { warm: 0, end: 0 },
    crashes: 0,
    examples: [],
  };
}

/** Counts a crash. */
export function addCrash(outcome: Outcome, crash: Crash): void {
  outcome.crashes++;
  if (outcome.examples.length < EXAMPLES) outcome.examples.push(crash);
}

/** What became of the shares of several workers together. */
export function merged(outcomes: readonly Outcome[]): Outcome {
  const sum = (of: (outcome: Outcome) => number): number =>
    outcomes.reduce((total, outcome) => total + of(outcome), 0);
  const examples = outcomes.flatMap((outcome) => outcome.examples);
  return {
    sent: sum(({ sent }) => sent),
    answers: {
      allowed: sum(({ answers }) => answers.allowed),
      denied: sum(({ answers }) => answers.denied),
      refused: sum(({ answers }) => answers.refused),
      crash: sum(({ answers }) => answers.crash),
    },
    patched: sum(({ patched }) => patched),
    reasons: [...new Set(outcomes.flatMap(({ reasons }) => reasons))].toSorted(),
    slowest: outcomes
      .map(({ slowest }) => slowest)
      .reduce((longest, each) => (each.milliseconds > longest.milliseconds ? each : longest)),
    memory: { warm: sum(({ memory }) => memory.warm), end: sum(({ memory }) => memory.end) },
    crashes: sum(({ crashes }) => crashes),
    examples: examples
      .toSorted((a, b) => (a.review?.index ?? -1) - (b.review?.index ?? -1))
      .slice(0, EXAMPLES),
  };
}

/** The lines that tell of a crash, and how to see it again. */
export function describeCrash({ review, cause }: Crash, seed: number): string {
  if (review === undefined) return `\ncrash: ${cause}`;
  const { index, endpoint, made } = review;
  return [
    `\ncrash at review ${index}: ${cause}`,
    `  sent to /${endpoint}: ${made}`,
    `  again: npm run fuzz -- --seed ${seed} --only ${index}`,
  ].join("\n");
}
