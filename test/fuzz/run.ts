/** `npm run fuzz`: sends mutated reviews to the webhook and ends with the line `crashes N`. */
import { randomInt } from "node:crypto";
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { describeCrash, type Outcome } from "./outcome.ts";
import { replay } from "./replay.ts";
import { runWorkers } from "./workers.ts";

const USAGE = `npm run fuzz [-- --count N] [--seed S] [--workers W] [--only I]
  --count    how many reviews are sent (50000)
  --seed     which: the same seed makes the same reviews (random)
  --workers  how many threads send them, each to a webhook of its own (one for each core, at most 4)
  --only     sends one of them, by its index, and shows it with its answer
`;

const MAX_SEED = 2 ** 32 - 1;
const MAX_COUNT = 100_000_000;
const MAX_WORKERS = 64;
/** Progress is told that often. */
const STEPS = 10;

interface Arguments {
  readonly count: number;
  readonly seed: number;
  readonly workers: number;
  readonly only: number | undefined;
}

function readArguments(): Arguments | undefined {
  const { values } = parseArgs({
    options: {
      count: { type: "string", default: "50000" },
      seed: { type: "string" },
      workers: { type: "string", default: String(Math.min(availableParallelism(), 4)) },
      only: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return undefined;
  return {
    count: wholeNumber("count", values.count, 1, MAX_COUNT),
    seed:
      values.seed === undefined
        ? randomInt(MAX_SEED)
        : wholeNumber("seed", values.seed, 0, MAX_SEED),
    workers: wholeNumber("workers", values.workers, 1, MAX_WORKERS),
    only: values.only === undefined ? undefined : wholeNumber("only", values.only, 0, MAX_COUNT),
  };
}

function wholeNumber(name: string, text: string, least: number, most: number): number {
  const number = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (number >= least && number <= most) return number;
  throw new Error(
    `--${name} is ${JSON.stringify(text)}, expected a whole number from ${least} to ${most}`,
  );
}

async function sendAll({ seed, count, workers }: Arguments): Promise<number> {
  print(`seed ${seed}, ${count} reviews`);
  const began = performance.now();
  let told = 0;
  const progress = (sent: number, crashes: number): void => {
    if (sent < told + count / STEPS) return;
    told = sent;
    process.stderr.write(`${sent} of ${count} reviews, ${crashes} crashes\n`);
  };
  const outcome = await runWorkers({ seed, count }, workers, progress);
  for (const crash of outcome.examples) print(describeCrash(crash, seed));
  if (outcome.crashes > outcome.examples.length) {
    print(`\nand ${outcome.crashes - outcome.examples.length} more`);
  }
  summarize(outcome, (performance.now() - began) / 1000);
  return outcome.crashes;
}

function summarize(outcome: Outcome, seconds: number): void {
  const { sent, answers, patched, reasons, slowest, memory } = outcome;
  const [warm, end] = [memory.warm, memory.end].map((bytes) => (bytes / 2 ** 20).toFixed(1));
  const speed = `${Math.round(sent / seconds)} a second`;
  const longest = `${slowest.milliseconds.toFixed(0)} ms (review ${slowest.index ?? "unknown"})`;
  print(`
reviews   ${sent} in ${seconds.toFixed(1)} s, ${speed}; the longest decision took ${longest}
answers   ${answers.allowed} allowed, ${patched} of them with a patch; ${answers.denied} denied; ${answers.refused} refused with 4xx
reasons   ${reasons.length}: ${reasons.join(", ")}
memory    ${warm} MiB after the warm-up, ${end} MiB at the end`);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

let read: Arguments | undefined;
try {
  read = readArguments();
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n${USAGE}`);
  process.exit(2);
}
if (read === undefined) {
  print(USAGE);
} else {
  const { seed, only } = read;
  const crashes = only === undefined ? await sendAll(read) : await replay(seed, only, print);
  print(`crashes ${crashes}`);
  process.exitCode = crashes > 0 ? 1 : 0;
}
