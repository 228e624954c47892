/**
 * `npm run chaos -- export`: kills what can die around exporting jobs and ends with the line `created N duplicates 0 lost 0 finalizers 0`.
 * `npm run chaos -- build`: kills what can die around builds and ends with the line `lost 0 wrong 0`.
 */
import { onInterrupt } from "../../deploy/local/interrupt.ts";
import { readArguments, USAGE, type Arguments } from "./arguments.ts";
import { buildCampaign } from "./build/campaign.ts";
import { planRuns as planBuilds } from "./build/plan.ts";
import type { CampaignOptions } from "./campaign.ts";
import { exportCampaign } from "./export/campaign.ts";
import { planRuns as planExports } from "./export/plan.ts";
import { nameOf, type Verdict } from "./verdict.ts";

/** Runs, and what carries them out. */
interface Campaign {
  readonly runs: readonly { readonly index: number }[];
  readonly carryOut: (options: CampaignOptions) => Promise<Verdict>;
}

function plan({ campaign, seed, count, only, engines }: Arguments): Campaign {
  const isMeant = ({ index }: { readonly index: number }): boolean =>
    only === undefined || index === only;
  switch (campaign) {
    case "export": {
      const runs = planExports(seed, count).filter(isMeant);
      return { runs, carryOut: async (options) => exportCampaign(runs, options) };
    }
    case "build": {
      const runs = planBuilds(seed, count, engines).filter(isMeant);
      return { runs, carryOut: async (options) => buildCampaign(runs, options) };
    }
  }
}

async function test(given: Arguments): Promise<void> {
  const { seed, lanes, cluster, network, command } = given;
  const began = performance.now();
  const { runs, carryOut } = plan(given);
  print(`seed ${seed}, ${runs.length} runs`);
  const verdict = await carryOut({ cluster, network, lanes, print, log, signal: onInterrupt() });
  explain(verdict, runs, command);
  print(`took ${Math.round((performance.now() - began) / 1000)} s`);
  print(verdict.lastLine);
  process.exitCode = verdict.ok ? 0 : 1;
}

/** Says what is wrong, and how to see it again. */
function explain({ problems }: Verdict, runs: Campaign["runs"], command: string): void {
  for (const { run: name, text } of problems) {
    print(`WRONG: ${text}`);
    const run = runs.find((each) => nameOf(each) === name);
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
