import { setTimeout as sleep } from "node:timers/promises";
import { createListeners } from "../kube/listeners.ts";
import type { KubeDlObserved } from "../reconcile/kubedl.ts";
import { decideStandby, type Stance } from "../reconcile/standby.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Applier } from "./apply.ts";

/** Whether this process leaves ModelVersions and Models to a KubeDL that runs. */
export interface Standby {
  /** True while it does, and until it has looked for the first time: whoever builds has to wait that long. */
  isOn(): boolean;
  /** True while it does because KubeDL was seen; false until it has looked, since what is not known is no reason to let anything pass. */
  isSeen(): boolean;
  /** Has the leader write, until the signal aborts, what there is to tell: what was seen last, and then what every look brings. */
  tellBy(applier: Applier, signal: AbortSignal): void;
  /** Calls the listener whenever standby ends, until the signal aborts. */
  onEnd(listener: () => void, signal: AbortSignal): void;
  /** Resolves when it looks no more; never rejects. */
  readonly stopped: Promise<void>;
}

const LOOK_MS = 30_000;

/** Pause until the next try while nothing was ever seen: nothing is built meanwhile. */
const FIRST_LOOK_MS = 2_000;

/**
 * Looks for KubeDL until the signal aborts. Every replica does: the webhook of each asks whether KubeDL runs. The states:
 *
 *     unknown --> standing by <--> building
 *        +--------------------------^
 *
 * A look that fails changes nothing: to build beside a KubeDL does harm, to wait does not.
 */
export function startStandby(options: {
  readonly observe: (signal: AbortSignal) => Promise<KubeDlObserved>;
  /** Build although KubeDL runs. */
  readonly takeover: boolean;
  readonly metrics: { kubeDlPresent(isPresent: boolean): void };
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** Pause between looks; default 30 s. */
  readonly everyMs?: number;
}): Standby {
  const { takeover, metrics, log, signal, everyMs = LOOK_MS } = options;
  const ending = createListeners();
  let before: Stance | undefined;
  let leader: { readonly applier: Applier; readonly until: AbortSignal } | undefined;

  function isOn(): boolean {
    return before === undefined ? !takeover : before.standsBy;
  }

  async function look(): Promise<void> {
    const observed = await options.observe(signal);
    const stance = decideStandby(observed, { takeover, before: before?.standsBy });
    const ends = isOn() && !stance.standsBy;
    logChange(log, stance, before);
    metrics.kubeDlPresent(stance.kubeDl !== undefined);
    before = stance;
    if (ends) ending.callAll();
    await tell();
  }

  async function tell(): Promise<void> {
    if (leader === undefined || leader.until.aborted) return;
    const { applier, until } = leader;
    try {
      await applier.apply(before?.actions ?? [], until);
    } catch (err) {
      if (!until.aborted) log.warn({ err }, "Can not tell of KubeDL");
    }
  }

  async function run(): Promise<void> {
    while (!signal.aborted) {
      try {
        await look();
      } catch (err) {
        if (!signal.aborted) log.warn({ err, standsBy: isOn() }, "Can not look for KubeDL");
      }
      const pauseMs = before === undefined ? Math.min(FIRST_LOOK_MS, everyMs) : everyMs;
      await sleep(pauseMs, undefined, { signal }).catch(() => {});
    }
    metrics.kubeDlPresent(false);
  }

  return {
    isOn,
    isSeen: () => before?.standsBy === true,
    tellBy(applier, until) {
      leader = { applier, until };
      void tell();
    },
    onEnd: ending.add,
    stopped: run(),
  };
}

function logChange(log: Logger, stance: Stance, before: Stance | undefined): void {
  const { kubeDl, standsBy, foreignDefinitions } = stance;
  if (kubeDl !== before?.kubeDl) {
    if (kubeDl === undefined)
      log.warn({ before: before?.kubeDl }, "KubeDL is gone: building again");
    else if (standsBy) log.warn({ kubeDl }, "KubeDL runs: standing by, nothing is built");
    else log.warn({ kubeDl }, "KubeDL runs, and is not heeded: serve --takeover");
  }
  const names = foreignDefinitions.join(" and ");
  if (names !== "" && names !== before?.foreignDefinitions.join(" and ")) {
    log.warn(
      { definitions: names },
      "Definitions are KubeDL's: no status can be written under them",
    );
  }
}
