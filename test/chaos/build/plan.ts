import type { Engine } from "../../../src/api/modelversion.ts";
import { createRandom, type Random } from "../../fuzz/random.ts";
import {
  AWAY_MS,
  deal,
  randomOfCampaign,
  SCALED_MS,
  type Moment as AnyMoment,
  type Outage,
} from "../fault.ts";

/** A container of a build pod, by its place in the order in which they run; in a pod of one all three are that one. */
export type Container = "first container" | "middle container" | "last container";

/**
 * When a fault comes: so long after the version was made, its Job was seen, a container's process ran, the registry had the tag, or
 * the status had the digest.
 */
export type Moment = AnyMoment<"creation" | "Job" | Container | "push" | "record">;

/** What happens to a build, or around it. */
type Fault =
  | { readonly is: "nothing" }
  | Outage<Moment>
  /** The processes of that container are killed. */
  | { readonly is: "container killed"; readonly at: AnyMoment<Container> }
  | { readonly is: "pod deleted by force" | "Job deleted"; readonly at: Moment }
  | { readonly is: "registry killed"; readonly at: Moment; readonly forMs: number }
  /** Another version of the same model is made over the same directory: both are to be built. */
  | { readonly is: "two at one location"; readonly at: Moment }
  /** The user deletes the version and makes it again under its name: that one is to be built. */
  | { readonly is: "made again"; readonly at: Moment };

/** A file of a model. */
interface ModelFile {
  readonly path: string;
  readonly bytes: number;
}

/** One version, and what happens around it. */
export interface Run {
  readonly index: number;
  readonly engine: Engine;
  readonly storage: "localStorage" | "persistentVolumeClaim";
  readonly files: readonly ModelFile[];
  readonly fault: Fault;
}

type Draw = (random: Random) => Fault;

/** Twenty runs have every fault; what is nearest to the commit points of a build, its push and its record, comes more often. */
const DECK: readonly Draw[] = [
  () => ({ is: "nothing" }),
  () => ({ is: "nothing" }),
  (random) => ({ is: "leader killed", at: anyMoment(random) }),
  (random) => ({ is: "leader killed", at: push(random) }),
  (random) => ({ is: "leader killed", at: record(random) }),
  (random) => ({ is: "both replicas killed", at: anyMoment(random) }),
  (random) => ({ is: "leader deleted", at: push(random) }),
  (random) => ({ is: "scaled to 0", at: anyMoment(random), forMs: SCALED_MS }),
  (random) => ({ is: "API server away", at: anyMoment(random), forMs: AWAY_MS }),
  (random) => ({ is: "container killed", at: brief("first container", random) }),
  (random) => ({ is: "container killed", at: middle(random) }),
  (random) => ({ is: "container killed", at: brief("last container", random) }),
  (random) => ({ is: "pod deleted by force", at: middle(random) }),
  (random) => ({ is: "pod deleted by force", at: push(random) }),
  (random) => ({ is: "Job deleted", at: random.pick([job, first, middle, push])(random) }),
  (random) => ({ is: "registry killed", at: middle(random), forMs: awayMs(random) }),
  // Before anybody has verified it.
  (random) => ({ is: "registry killed", at: brief("push", random), forMs: awayMs(random) }),
  (random) => ({ is: "two at one location", at: anyMoment(random) }),
  (random) => ({ is: "made again", at: anyMoment(random) }),
  (random) => ({ is: "made again", at: push(random) }),
];

/** What files of models are called; some names mean something to programs that build images. */
const PATHS = [
  "weights.bin",
  "variables/shard-0",
  "variables/shard-1",
  ".vocabulary",
  ".dockerignore",
  "Dockerfile",
  "with blank.txt",
  "wörter/ß.txt",
  "a/b/c/d/deep",
] as const;

/** Bytes of a model's largest file. */
const SIZES = [3000, 300_000, 4_000_000, 18_000_000] as const;
/** A file may be empty; all but the first are small. */
const MAX_SMALL = 20_000;

/** The runs of a campaign; the same seed, count and engines give the same. */
export function planRuns(seed: number, count: number, engines: readonly Engine[]): readonly Run[] {
  return deal(DECK, count, randomOfCampaign(seed)).map((draw, index) => {
    const random = createRandom(seed, index);
    return {
      index,
      fault: draw(random),
      storage: random.pick(["localStorage", "persistentVolumeClaim"] as const),
      files: planFiles(random),
      engine: random.pick(engines),
    };
  });
}

/** What the version of a run is like, in a few words. */
export function describeShape({ engine, storage, files }: Run): string {
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  return `${engine}, ${storage}, ${files.length} files of ${bytes} bytes`;
}

function planFiles(random: Random): readonly ModelFile[] {
  const paths = deal(PATHS, 2 + random.below(PATHS.length - 1), random);
  const largest = random.pick(SIZES) + random.below(MAX_SMALL);
  return paths.map((path, index) => ({
    path,
    bytes: index === 0 ? largest : random.between(0, MAX_SMALL),
  }));
}

function anyMoment(random: Random): Moment {
  return random.pick([creation, job, first, middle, push, record])(random);
}

function creation(random: Random): Moment {
  return { after: "creation", delayMs: random.between(0, 2000) };
}

function job(random: Random): Moment {
  return { after: "Job", delayMs: random.between(0, 2000) };
}

function first(random: Random): Moment {
  return brief("first container", random);
}

function middle(random: Random): AnyMoment<"middle container"> {
  return { after: "middle container", delayMs: random.between(0, 2500) };
}

function push(random: Random): Moment {
  return { after: "push", delayMs: random.between(0, 2500) };
}

function record(random: Random): Moment {
  return { after: "record", delayMs: random.between(0, 1000) };
}

/** For what is over in half a second. */
function brief<A extends string>(after: A, random: Random): AnyMoment<A> {
  return { after, delayMs: random.between(0, 300) };
}

function awayMs(random: Random): number {
  return 2000 + random.below(10_000);
}
