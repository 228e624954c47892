import { createRandom, type Random } from "../../fuzz/random.ts";
import {
  AWAY_MS,
  deal,
  randomOfCampaign,
  SCALED_MS,
  type Moment as AnyMoment,
  type Outage,
} from "../fault.ts";

/** When a fault comes: so long after the job was made, its first pod ran, or it was complete. */
export type Moment = AnyMoment<"creation" | "training" | "completion">;

/** What happens to a job, or around it. */
type Fault =
  | { readonly is: "nothing" }
  | Outage<Moment>
  /** The user deletes the job as soon as it is seen to be complete, or while it runs. */
  | {
      readonly is: "job deleted";
      readonly at: Moment;
      readonly propagation: "Foreground" | "Background";
    }
  | { readonly is: "pod deleted" | "pod evicted"; readonly at: Moment }
  | { readonly is: "suspended"; readonly at: Moment; readonly forMs: number }
  | { readonly is: "fails" }
  /** It fails, is deleted, and is made again under its name: that one succeeds. */
  | { readonly is: "fails and is run again" }
  /** The user deletes the version once there is one. */
  | { readonly is: "version deleted"; readonly delayMs: number };

/** One job, and what happens around it. */
export interface Run {
  readonly index: number;
  /** `retried`: the first attempt fails; by a new pod (`Never`, after Kubernetes' 10 s) or in the same one. */
  readonly shape: "plain" | "indexed" | "retried" | "retried in place";
  /** Number of the run whose directory it writes to: its own, or the one before. */
  readonly location: number;
  readonly trainMs: number;
  /** Seconds that its pods have to end. */
  readonly graceSeconds: number;
  /** Kubernetes deletes the job as soon as it has ended (`ttlSecondsAfterFinished: 0`). */
  readonly collected: boolean;
  /** modelhook asks the registry by a pod of its own while the job trains. */
  readonly asksRegistry: boolean;
  readonly fault: Fault;
}

type Draw = (random: Random) => Fault;

/** Once in a long campaign: longer than every lease, and than kube-controller-manager believes in the node. */
const LONG_AWAY_MS = 60_000;
const LONG_CAMPAIGN = 50;

/** Twenty runs have every fault; what is nearest to the commit point of an export comes more often. */
const DECK: readonly Draw[] = [
  () => ({ is: "nothing" }),
  () => ({ is: "nothing" }),
  (random) => ({ is: "leader killed", at: anyMoment(random) }),
  (random) => ({ is: "leader killed", at: completion(random) }),
  (random) => ({ is: "leader killed", at: completion(random) }),
  (random) => ({ is: "both replicas killed", at: anyMoment(random) }),
  (random) => ({ is: "leader deleted", at: completion(random) }),
  (random) => ({ is: "scaled to 0", at: anyMoment(random), forMs: SCALED_MS }),
  (random) => ({ is: "API server away", at: training(random), forMs: AWAY_MS }),
  (random) => ({ is: "job deleted", at: justComplete(random), propagation: "Foreground" }),
  (random) => ({ is: "job deleted", at: justComplete(random), propagation: "Background" }),
  (random) => ({ is: "job deleted", at: training(random), propagation: propagation(random) }),
  (random) => ({ is: "pod deleted", at: training(random) }),
  (random) => ({ is: "pod evicted", at: training(random) }),
  (random) => ({ is: "suspended", at: training(random), forMs: 500 + random.below(3000) }),
  () => ({ is: "fails" }),
  () => ({ is: "fails and is run again" }),
  (random) => ({ is: "version deleted", delayMs: random.between(0, 500) }),
  (random) => ({ is: "version deleted", delayMs: random.between(0, 3000) }),
  (random) => ({ is: "leader killed", at: anyMoment(random) }),
];

/** The runs of a campaign; the same seed and count give the same. */
export function planRuns(seed: number, count: number): readonly Run[] {
  const order = randomOfCampaign(seed);
  const runs = deal(DECK, count, order).map((draw, index) => planRun(seed, index, draw));
  const long = runs.findIndex(({ fault }) => fault.is === "API server away");
  const run = runs[long];
  if (run === undefined || count < LONG_CAMPAIGN) return runs;
  const fault: Fault = { is: "API server away", at: training(order), forMs: LONG_AWAY_MS };
  return runs.with(long, { ...run, fault });
}

function planRun(seed: number, index: number, draw: Draw): Run {
  const random = createRandom(seed, index);
  const fault = draw(random);
  const isInTraining = "at" in fault && fault.at.after === "training";
  return {
    index,
    shape: random.pick(["plain", "plain", "indexed", "indexed", "retried", "retried in place"]),
    location: index > 0 && random.chance(0.2) ? index - 1 : index,
    // What is to happen while it trains needs its time.
    trainMs: (isInTraining ? 2000 : 800) + random.below(1200),
    graceSeconds: random.below(3),
    collected: random.chance(0.4) && fault.is !== "fails and is run again",
    asksRegistry: random.chance(0.25),
    fault,
  };
}

/** What the job of a run is like, in a few words. */
export function describeShape({ shape, location, index, collected }: Run): string {
  const words: string[] = [shape];
  if (location !== index) words.push(`at the location of run ${location}`);
  if (collected) words.push("TTL 0");
  return words.join(", ");
}

function anyMoment(random: Random): Moment {
  return random.pick([creation, training, completion])(random);
}

function creation(random: Random): Moment {
  return { after: "creation", delayMs: random.between(0, 4000) };
}

function training(random: Random): Moment {
  return { after: "training", delayMs: random.below(1500) };
}

function completion(random: Random): Moment {
  return { after: "completion", delayMs: random.between(0, 2000) };
}

/** In the second in which we export it. */
function justComplete(random: Random): Moment {
  return { after: "completion", delayMs: random.between(0, 400) };
}

function propagation(random: Random): "Foreground" | "Background" {
  return random.pick(["Foreground", "Background"]);
}
