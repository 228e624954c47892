import type { Observer } from "../watching.ts";
import type { Queue, World } from "../world.ts";
import type { History } from "./history.ts";
import type { WantedVersion } from "./verdict.ts";

/** What runs act on. */
export interface BuildWorld extends World {
  readonly observer: Observer<History>;
  /** Where this machine has the directory of the node that holds the models. */
  readonly models: string;
  /** What was written there before the builds, by the name of the run: its files as `sha256sum` prints them. */
  readonly data: Map<string, string>;
  /** Versions that have to be built. */
  readonly wanted: Map<string, WantedVersion>;
  /** One after the other: what takes the registry away. */
  readonly registryAlone: Queue;
}
