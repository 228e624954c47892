import { readFile } from "node:fs/promises";
import { limitsFrom, parseLimits, type Identity, type Limits } from "../admission/limits.ts";
import { textFault, type SchemaFault } from "../api/schema-faults.ts";
import { deepFreeze } from "../kube/freeze.ts";
import { createListeners, type Listeners } from "../kube/listeners.ts";
import { repeat } from "../kube/repeat.ts";
import type { Logger } from "../telemetry/logger.ts";

/** The administrator's limits, kept current. */
export interface LimitsSource {
  /** Those in force; frozen, and another object after a change. */
  current(): Limits;
  /** Calls the listener after every change, until the signal when there is one. */
  readonly onChange: Listeners["add"];
}

/** What became of the file since it was last looked at. */
export type LimitsNews =
  | { readonly outcome: "refused"; readonly faults: readonly SchemaFault[] }
  /** `restart` names the settings that wait for the next start. */
  | { readonly outcome: "taken"; readonly restart: readonly string[] };

/** Where limits are followed, and who is told. */
export interface FollowLimitsOptions {
  readonly path: string;
  /** What the file said at the start. */
  readonly initial: Limits;
  readonly identity: Identity;
  /** Hears of a file that became invalid, or invalid in another way, and of a valid one that says something new or ends that. */
  readonly tell: (news: LimitsNews) => void;
  readonly log: Logger;
  readonly signal: AbortSignal;
  readonly checkEveryMs?: number;
}

/**
 * Reads the file again every two seconds: a mounted ConfigMap changes by the rename of a link, which file events miss. While it is
 * invalid the last good limits stay in force.
 */
export function followLimits(options: FollowLimitsOptions): LimitsSource {
  const { path, identity, tell, log, signal, checkEveryMs = 2000 } = options;
  const listeners = createListeners();
  let current = options.initial;
  /** Settings that wait for a restart. */
  let waiting: readonly string[] = [];
  /** What was wrong with the file when it was read last; empty while it is valid. */
  let refused = "";

  /** Settings of another release, said once. */
  let ignored = "";
  function warnOf(settings: readonly string[]): void {
    const text = settings.join("\n");
    if (text !== "" && text !== ignored)
      log.warn({ path, settings }, "Unknown settings have no effect");
    ignored = text;
  }

  function refuse(faults: readonly SchemaFault[]): void {
    const text = JSON.stringify(faults);
    if (text === refused) return;
    refused = text;
    const problems = problemsOf(faults);
    log.error({ path, problems }, "The limits are invalid; the last valid ones stay in force");
    tell({ outcome: "refused", faults });
  }

  function take(read: Limits): void {
    const { certificateDirectory, policy } = options.initial;
    const { jobKinds } = policy;
    const restart = [
      ...(read.certificateDirectory === certificateDirectory ? [] : ["certificates"]),
      ...(JSON.stringify(read.policy.jobKinds) === JSON.stringify(jobKinds) ? [] : ["jobKinds"]),
    ];
    // Watches and webhooks are for the kinds that there were at the start; decisions must not know of others.
    const next = { ...read, policy: { ...read.policy, jobKinds } };
    const isNew = JSON.stringify(next) !== JSON.stringify(current);
    const isTold = restart.join() === waiting.join();
    if (!isNew && isTold && refused === "") return;
    waiting = restart;
    refused = "";
    current = deepFreeze(next);
    log.info({ path }, "The limits are in force");
    if (restart.length > 0) log.warn({ path, restart }, "These settings wait for a restart");
    tell({ outcome: "taken", restart });
    if (isNew) listeners.callAll();
  }

  async function check(): Promise<void> {
    const text = await readFile(path, "utf8");
    const parsed = parseLimits(text);
    if (!parsed.ok) {
      refuse(parsed.faults);
      return;
    }
    warnOf(problemsOf(parsed.ignored));
    take(limitsFrom(parsed.file, identity));
  }

  void repeat(check, {
    everyMs: checkEveryMs,
    signal,
    onError: (error) => refuse([textFault(`can not be read: ${(error as Error).message}`)]),
  });
  return { current: () => current, onChange: listeners.add };
}

/** The faults as sentences, each with its place in the file. */
export function problemsOf(faults: readonly SchemaFault[]): readonly string[] {
  return faults.map(({ field, message }) => (field === "" ? message : `${field}: ${message}`));
}
