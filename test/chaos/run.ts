/** `npm run chaos -- export`: kills what can die around exporting jobs and ends with the line `created N duplicates 0 lost 0 finalizers 0`. */
import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";
import { runCampaign } from "./campaign.ts";
import { planRuns, type Run } from "./plan.ts";
import { nameOf } from "./training-job.ts";
import { lastLine, type Verdict } from "./verdict.ts";
import { onInterrupt } from "../../deploy/local/interrupt.ts";

const USAGE = `npm run chaos -- export [--runs N] [--seed S] [--lanes L] [--only I] [--cluster NAME] [--network A.B.C]
  --runs     how many exporting jobs are made, each with a fault around it (100)
  --seed     which: the same seed and number make the same runs (random)
  --lanes    how many of them at once (8)
  --only     carries out one of them, by its index
  --cluster  name of the local cluster that is made for it (chaos)
  --network  its network (10.99.96)
`;

const MAX_SEED = 2 ** 32 - 1;
const MAX_RUNS = 10_000;
/** A node holds 110 pods, and a job has up to three, and one that asks the registry. */
const MAX_LANES = 24;

interface Arguments {
  readonly seed: number;
  readonly count: number;
  readonly runs: readonly Run[];
  readonly lanes: number;
  readonly cluster: string;
  readonly network: string;
}

function readArguments(): Arguments | undefined {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      runs: { type: "string", default: "100" },
      seed: { type: "string" },
      lanes: { type: "string", default: "8" },
      only: { type: "string" },
      cluster: { type: "string", default: "chaos" },
      network: { type: "string", default: "10.99.96" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return undefined;
  if (positionals.length !== 1 || positionals[0] !== "export") {
    throw new Error(`name what is tested: export (found: ${positionals.join(" ") || "nothing"})`);
  }
  const count = wholeNumber("runs", values.runs, 1, MAX_RUNS);
  const seed =
    values.seed === undefined ? randomInt(MAX_SEED) : wholeNumber("seed", values.seed, 0, MAX_SEED);
  const only =
    values.only === undefined ? undefined : wholeNumber("only", values.only, 0, count - 1);
  const { cluster, network } = values;
  const runs = planRuns(seed, count).filter(({ index }) => only === undefined || index === only);
  return {
    seed,
    count,
    runs,
    lanes: wholeNumber("lanes", values.lanes, 1, MAX_LANES),
    cluster,
    network,
  };
}

function wholeNumber(name: string, text: string, least: number, most: number): number {
  const number = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (number >= least && number <= most) return number;
  throw new Error(
    `--${name} is ${JSON.stringify(text)}, expected a whole number from ${least} to ${most}`,
  );
}

async function test(given: Arguments): Promise<void> {
  const { seed, count, runs, lanes, cluster, network } = given;
  const began = performance.now();
  print(`seed ${seed}, ${runs.length} runs`);
  const verdict = await runCampaign(runs, {
    cluster,
    network,
    lanes,
    print,
    log,
    signal: onInterrupt(),
  });
  explain(verdict, runs, `npm run chaos -- export --runs ${count} --seed ${seed}`);
  print(`took ${Math.round((performance.now() - began) / 1000)} s`);
  print(lastLine(verdict));
  process.exitCode = verdict.ok ? 0 : 1;
}

/** Says what is wrong, and how to see it again. */
function explain({ problems }: Verdict, runs: readonly Run[], command: string): void {
  for (const { job, text } of problems) {
    print(`WRONG: ${text}`);
    const run = runs.find((each) => nameOf(each) === job);
    if (run !== undefined)
      print(`  ${JSON.stringify(run)}\n  alone: ${command} --only ${run.index}`);
  }
  if (problems.length > 0) print(`all again: ${command}`);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function log(line: string): void {
  process.stderr.write(`${line}\n`);
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
  try {
    await test(read);
  } catch (error) {
    log(error instanceof Error ? (error.stack ?? error.message) : String(error));
    process.exitCode = 1;
  }
}
