import type { Identity, Limits } from "../admission/limits.ts";
import type { ConfigMap } from "../api/kube-types.ts";
import { followLimits, problemsOf, type LimitsNews, type LimitsSource } from "../gather/limits.ts";
import type { ApiServer } from "../kube/client.ts";
import { resources } from "../kube/resources.ts";
import { get } from "../kube/write.ts";
import type { Action } from "../reconcile/action.ts";
import type { Logger } from "../telemetry/logger.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { emitEvent } from "./events.ts";

/** What of the configuration says where the limits are, and who says what became of them. */
export interface WatchedLimits {
  readonly limitsPath: string;
  readonly limits: Limits;
  readonly identity: Identity;
  readonly instance: string;
}

interface Tools {
  readonly api: ApiServer;
  /** Name of the ConfigMap that the file comes from. */
  readonly name: string;
  readonly metrics: Pick<Metrics, "limitsRead">;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

type Said = Pick<Extract<Action, { type: "event" }>, "kind" | "reason" | "message">;

/**
 * Follows the limits, and says by metrics and on their ConfigMap what became of them. Every replica reads its own mounted copy
 * and says so; the same words are one Event with a count.
 */
export function watchLimits(watched: WatchedLimits, tools: Tools): LimitsSource {
  const { limitsPath: path, limits: initial, identity } = watched;
  const { metrics, log, signal, now } = tools;
  metrics.limitsRead(true, now());
  const tell = (news: LimitsNews): void => {
    metrics.limitsRead(news.outcome === "taken", now());
    void sayOnConfigMap(wordsFor(news), watched, tools);
  };
  return followLimits({ path, initial, identity, tell, log, signal });
}

async function sayOnConfigMap(said: Said, watched: WatchedLimits, tools: Tools): Promise<void> {
  const { api, name, log, now } = tools;
  try {
    const place = { namespace: watched.identity.systemNamespace, name };
    // kubectl describe finds Events by the UID.
    const { metadata } = await get<ConfigMap>(api, resources.configmaps, place);
    const uid = metadata?.uid;
    const ref = { apiVersion: "v1", kind: "ConfigMap", ...place, ...(uid ? { uid } : {}) };
    await emitEvent(api, { type: "event", ref, ...said }, watched.instance, now());
  } catch (err) {
    // An event tells; nothing depends on it.
    log.warn({ err, object: name, reason: said.reason }, "Event was not written");
  }
}

function wordsFor(news: LimitsNews): Said {
  if (news.outcome === "refused") {
    const problems = problemsOf(news.faults).join("; ");
    const message = `config.yaml is invalid, the last valid limits stay in force: ${problems}`;
    return { kind: "Warning", reason: "InvalidConfiguration", message };
  }
  const later = news.restart.join(", ");
  const message = `the limits of config.yaml are in force${later === "" ? "" : `; what needs a restart: ${later}`}`;
  return { kind: "Normal", reason: "ConfigurationRead", message };
}
