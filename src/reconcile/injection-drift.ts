import type { Pod } from "../api/kube-types.ts";
import { wantedText } from "../api/wanted.ts";
import { readIntent } from "../inject/intent.ts";
import { isNeverTouched } from "../inject/untouched.ts";
import { controllerOf } from "../jobs/owner.ts";
import { refOf, warningOn, type Action } from "./action.ts";
import { isGiven } from "./given.ts";

/** Pods that are told of in one pass: more would be a flood, and the next pass tells of others. */
const MOST_TOLD = 20;

/** A part of the cluster's running pods. */
export interface DriftObserved {
  /** Metadata of running pods, of any namespace. */
  readonly pods: readonly Pod[];
  /** Namespace that modelhook runs in. */
  readonly systemNamespace: string;
  /** UIDs of the pods that an earlier pass told of. */
  readonly toldBefore: readonly string[];
}

/** What a pass has found so far. */
export interface Drift {
  /** Pods that asked by their annotations and got nothing. */
  readonly missed: number;
  /** UIDs of those of them that were told of, by this pass or an earlier one. */
  readonly told: readonly string[];
  readonly actions: readonly Action[];
}

/** A pass that has seen no pod yet. */
export const NO_DRIFT: Drift = { missed: 0, told: [], actions: [] };

/**
 * Goes on with a pass over the running pods: finds those that ask for something by annotations of their own and were made without
 * it, since the webhook was not there, or the annotation came later. Nothing is restarted; each of them is told what to do, once.
 */
export function foldDrift(drift: Drift, observed: DriftObserved): Drift {
  const found = observed.pods.flatMap((pod) => {
    const message = missing(pod, observed.systemNamespace);
    return message === undefined ? [] : [{ pod, message, uid: pod.metadata?.uid ?? "" }];
  });
  if (found.length === 0) return drift;
  const toldBefore = new Set(observed.toldBefore);
  const known = found.filter(({ uid }) => toldBefore.has(uid));
  const fresh = found
    .filter(({ uid }) => !toldBefore.has(uid))
    .slice(0, MOST_TOLD - drift.actions.length);
  return {
    missed: drift.missed + found.length,
    told: [...drift.told, ...[...known, ...fresh].map(({ uid }) => uid)],
    actions: [
      ...drift.actions,
      ...fresh.map(({ pod, message }) => warningOn(refOf(pod), "InjectionMissed", message)),
    ],
  };
}

/** What the pod asks for and lacks, and what to do about it; undefined for one that lacks nothing. */
function missing(pod: Pod, systemNamespace: string): string | undefined {
  const { namespace = "", annotations, deletionTimestamp } = pod.metadata ?? {};
  if (isGiven(pod) || deletionTimestamp !== undefined) return undefined;
  if (isNeverTouched(namespace, pod, systemNamespace)) return undefined;
  const read = readIntent(annotations, "metadata.annotations");
  if (!read.ok) return undefined;
  const { serve, export: exported } = read.intent;
  if (serve !== undefined) {
    const models = serve.models.map(({ wanted }) => wantedText(wanted)).join(" and ");
    return `asks for ${models} and was made without it: ${deletion(pod)}; modelhook restarts nothing`;
  }
  if (exported !== undefined) {
    return `is to export a version of Model ${exported.intent.modelName} and was made without a place for it, so what it writes is not kept: ${repetition(pod)}; modelhook restarts nothing`;
  }
  return undefined;
}

function deletion(pod: Pod): string {
  return controllerOf(pod) === undefined
    ? "delete it and make it anew"
    : "delete it, so that its controller makes it anew";
}

function repetition(pod: Pod): string {
  const owner = controllerOf(pod);
  return owner === undefined
    ? "delete it and make it anew"
    : `delete ${owner.kind} ${owner.name} and make it anew`;
}
