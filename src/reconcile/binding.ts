import { setCondition, type Condition } from "../api/conditions.ts";
import { listed } from "../api/listed.ts";
import type { ModelBinding, ModelBindingSpec, ModelBindingStatus } from "../api/modelbinding.ts";
import { wantedText, type Wanted } from "../api/wanted.ts";
import { whyWithoutEffect } from "../inject/binding-effect.ts";
import { builtImage, resolve, type Known, type Resolved } from "../inject/resolution.ts";
import { boundModel } from "../inject/wanted-models.ts";
import { refOf, warningOn, type Action } from "./action.ts";
import { countPods, type BoundPods, type PodsObserved } from "./binding-pods.ts";
import { isEqual } from "./equal.ts";

/** Pods that have nothing from us are not watched, so a binding's are looked at again. */
const LOOK_AGAIN_MS = 300_000;

/** Types of our conditions: of every binding, of one that serves, of one that serves and is in effect. */
const TYPES: ReadonlySet<string> = new Set(["InEffect", "Resolved", "Injected"]);

/** Everything that is known of a ModelBinding when it is reconciled. */
export interface BindingObserved extends PodsObserved {
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Whether the namespace has the label that puts bindings into effect. */
  readonly injectionEnabled: boolean;
  /** What is known of the model that it serves; no siblings, since it is about new pods. */
  readonly known: Known;
}

/** What follows, and how many running pods lack a model that they should have. */
export interface BindingResult {
  readonly actions: readonly Action[];
  readonly notInjected: number;
}

type Said = Omit<Condition, "lastTransitionTime" | "observedGeneration">;

/** The model that a binding serves; undefined for one that exports. */
export function wantedByBinding({ metadata, spec }: ModelBinding): Wanted | undefined {
  const { serve }: Partial<ModelBindingSpec> = spec ?? {};
  if (serve === undefined) return undefined;
  return boundModel({ name: metadata.name ?? "", serve }, undefined)?.wanted;
}

/**
 * Tells in a binding's status what a new pod would get, and which running pods were made without it: before the binding, before the
 * namespace had the label, or past the webhook. Nothing is restarted for that.
 */
export function reconcileBinding(observed: BindingObserved): BindingResult {
  const { binding, injectionEnabled, systemNamespace } = observed;
  if (binding.metadata.deletionTimestamp !== undefined) return { actions: [], notInjected: 0 };
  const { namespace = "" } = binding.metadata;
  const place = { namespace, injectionEnabled, systemNamespace };
  const wanted = wantedByBinding(binding);
  const isExport = binding.spec?.export !== undefined;
  const effect = effectCondition(whyWithoutEffect(place), isExport);
  if (wanted === undefined && !isExport) {
    return { actions: writeStatus(observed, {}, [effect]), notInjected: 0 };
  }
  const resolved = wanted === undefined ? undefined : resolve(wanted, observed.known);
  const built = resolved?.state === "built" ? resolved : undefined;
  const pods = countPods(observed, built?.digest);
  const isInEffect = effect.status === "True";
  const injected =
    resolved === undefined ? exportedCondition(pods) : injectedCondition(pods, resolved);
  const status = {
    ...(built === undefined ? {} : { image: builtImage(built) }),
    injected: pods.injected,
    notInjected: pods.missed.length,
  };
  const said = [
    effect,
    ...(wanted === undefined || resolved === undefined
      ? []
      : [resolvedCondition(wanted, resolved)]),
    ...(isInEffect ? [injected] : []),
  ];
  const isMissed = isInEffect && pods.missed.length > 0;
  return {
    actions: [
      ...writeStatus(observed, status, said),
      ...(isMissed ? [warningOn(refOf(binding), "InjectionMissed", injected.message)] : []),
      { type: "requeueAfter", ms: LOOK_AGAIN_MS },
    ],
    notInjected: isMissed ? pods.missed.length : 0,
  };
}

function writeStatus(
  { binding, now }: BindingObserved,
  fields: Omit<ModelBindingStatus, "conditions" | "observedGeneration">,
  said: readonly Said[],
): readonly Action[] {
  const { generation: observedGeneration, resourceVersion = "" } = binding.metadata;
  const before = binding.status?.conditions ?? [];
  // What is no longer so is no longer said; the conditions of others stay.
  const kept = before.filter(
    ({ type }) => !TYPES.has(type) || said.some((each) => each.type === type),
  );
  const conditions = said.reduce<readonly Condition[]>(
    (list, each) => setCondition(list, { ...each, observedGeneration }, now),
    kept,
  );
  const status: ModelBindingStatus = { ...fields, observedGeneration, conditions: [...conditions] };
  if (isEqual(status, binding.status)) return [];
  return [{ type: "status", ref: refOf(binding), resourceVersion, status }];
}

function effectCondition(why: string | undefined, isExport: boolean): Said {
  return why === undefined
    ? {
        type: "InEffect",
        status: "True",
        reason: "BindingInEffect",
        message: isExport
          ? "what the jobs of the pods that it selects write is exported when they succeed"
          : "the pods that it selects get the model when they are made",
      }
    : {
        type: "InEffect",
        status: "False",
        reason: "BindingWithoutEffect",
        message: why,
      };
}

function resolvedCondition(wanted: Wanted, resolved: Resolved): Said {
  const type = "Resolved";
  switch (resolved.state) {
    case "built": {
      const what = wantedText(wanted);
      const isNamed = "modelVersion" in wanted;
      const message = isNamed
        ? `${what} is built`
        : `${what} is ModelVersion ${resolved.name}, which is built`;
      return { type, status: "True", reason: "ModelReady", message };
    }
    case "waiting":
      return { type, status: "False", reason: resolved.reason, message: resolved.message };
    case "failed":
      return { type, status: "False", reason: "ModelBuildFailed", message: resolved.message };
  }
}

function injectedCondition({ injected, outdated, missed, yielded }: BoundPods, resolved: Resolved) {
  const type = "Injected";
  if (missed.length > 0) {
    const one = missed.length === 1;
    // Whoever followed the advice before would exchange pods that run for pods that wait.
    const when = resolved.state === "built" ? "" : "once the model is built, ";
    const advice = `${when}delete ${one ? "it" : "them"}, or restart ${one ? "its" : "their"} Deployment; modelhook restarts nothing`;
    const message = `${countOf(missed.length, "was", "were")} made without the model: ${listed(missed)}; ${advice}`;
    return { type, status: "False", reason: "InjectionMissed", message } as const;
  }
  const old = outdated === 0 ? "" : `, ${outdated} of them in another image than new pods get`;
  const has =
    injected === 0
      ? "no running pod lacks the model"
      : `${countOf(injected, "has", "have")} the model`;
  return {
    type,
    status: "True",
    reason: "Injected",
    message: `${has}${old}${othersText(yielded)}`,
  } as const;
}

/** Of a binding that exports; the outdated are none, since there is no image. */
function exportedCondition({ injected, missed, yielded }: BoundPods) {
  const type = "Injected";
  if (missed.length > 0) {
    const [writes, job, it] =
      missed.length === 1 ? ["it writes", "its job", "it"] : ["they write", "their jobs", "them"];
    const message = `${countOf(missed.length, "was", "were")} made without a place to write the model to, so what ${writes} is not exported: ${listed(missed)}; delete ${job} and make ${it} anew; modelhook restarts nothing`;
    return { type, status: "False", reason: "InjectionMissed", message } as const;
  }
  const message = `${countOf(injected, "belongs to a job", "belong to jobs")} of which the model is exported${othersText(yielded)}`;
  return { type, status: "True", reason: "Injected", message } as const;
}

function othersText(yielded: number): string {
  return yielded === 0 ? "" : `; ${countOf(yielded, "belongs", "belong")} to an older binding`;
}

function countOf(pods: number, one: string, more: string): string {
  return pods === 1 ? `1 running pod ${one}` : `${pods} running pods ${more}`;
}
