import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";
import { ENGINES, type Engine } from "../../src/api/modelversion.ts";

/** What can be tested. */
const CAMPAIGNS = ["export", "build"] as const;
/** Name of what is tested. */
type CampaignName = (typeof CAMPAIGNS)[number];

/** What `--help` prints. */
export const USAGE = `npm run chaos -- export|build [--runs N] [--seed S] [--lanes L] [--only I] [--engine E] [--cluster NAME] [--network A.B.C]
  --runs     how many exporting jobs, or versions, are made, each with a fault around it (100)
  --seed     which: the same seed and number make the same runs (random)
  --lanes    how many of them at once (export: 8, build: 6)
  --only     carries out one of them, by its index
  --engine   what builds the versions of build: ${ENGINES.join(", ")} (each some of them)
  --cluster  name of the local cluster that is made for it (chaos)
  --network  its network (10.99.96)
`;

const MAX_SEED = 2 ** 32 - 1;
const MAX_RUNS = 10_000;
/** A node holds 110 pods, and a job has up to three, and one that asks the registry. */
const MAX_LANES = 24;
/** Most of a run is waiting: for another leader, for the next attempt. Builds need more of a machine than jobs do. */
const LANES: Readonly<Record<CampaignName, string>> = { export: "8", build: "6" };

/** What is asked for. */
export interface Arguments {
  readonly campaign: CampaignName;
  readonly seed: number;
  readonly count: number;
  /** Index of the one run that is carried out; all of them when absent. */
  readonly only?: number;
  /** What versions may be built by. */
  readonly engines: readonly Engine[];
  readonly lanes: number;
  readonly cluster: string;
  readonly network: string;
  /** What makes the same runs again. */
  readonly command: string;
}

/** Reads the command line; undefined when it asks for help. Throws with what is wrong in it. */
export function readArguments(): Arguments | undefined {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      runs: { type: "string", default: "100" },
      seed: { type: "string" },
      lanes: { type: "string" },
      only: { type: "string" },
      engine: { type: "string" },
      cluster: { type: "string", default: "chaos" },
      network: { type: "string", default: "10.99.96" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return undefined;
  const campaign = CAMPAIGNS.find((name) => positionals.length === 1 && name === positionals[0]);
  if (campaign === undefined) {
    throw new Error(
      `name what is tested: ${CAMPAIGNS.join(" or ")} (found: ${positionals.join(" ") || "nothing"})`,
    );
  }
  const { engine, cluster, network } = values;
  if (engine !== undefined && campaign === "export") {
    throw new Error("--engine is of no use to export: its versions are not built");
  }
  const count = wholeNumber("runs", values.runs, 1, MAX_RUNS);
  const seed =
    values.seed === undefined ? randomInt(MAX_SEED) : wholeNumber("seed", values.seed, 0, MAX_SEED);
  const said = engine === undefined ? "" : ` --engine ${engine}`;
  return {
    campaign,
    seed,
    count,
    ...(values.only === undefined ? {} : { only: wholeNumber("only", values.only, 0, count - 1) }),
    engines: engine === undefined ? ENGINES : [engineOf(engine)],
    lanes: wholeNumber("lanes", values.lanes ?? LANES[campaign], 1, MAX_LANES),
    cluster,
    network,
    command: `npm run chaos -- ${campaign} --runs ${count} --seed ${seed}${said}`,
  };
}

function engineOf(text: string): Engine {
  const engine = ENGINES.find((each) => each === text);
  if (engine !== undefined) return engine;
  throw new Error(`--engine is ${JSON.stringify(text)}, expected ${ENGINES.join(" or ")}`);
}

function wholeNumber(name: string, text: string, least: number, most: number): number {
  const number = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (number >= least && number <= most) return number;
  throw new Error(
    `--${name} is ${JSON.stringify(text)}, expected a whole number from ${least} to ${most}`,
  );
}
