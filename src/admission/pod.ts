import type { Pod } from "../api/kube-types.ts";
import type { ModelBinding } from "../api/modelbinding.ts";
import type { Wanted } from "../api/wanted.ts";
import { boundBy } from "../inject/bound.ts";
import { loadersOf } from "../inject/init-container.ts";
import { readIntent, type IntentResult } from "../inject/intent.ts";
import { isNeverTouched } from "../inject/untouched.ts";
import { controllerOf, templateKey } from "../jobs/owner.ts";
import { allow, deny, type Decision } from "./decision.ts";
import { decideServingPod } from "./serving-pod.ts";
import type { References, Snapshot } from "./snapshot.ts";
import { decideTrainingPod } from "./training-pod.ts";

/**
 * Most containers of a pod that is given a model. What is added to each, for each of its models, makes 3 MB of them hundreds; no
 * store takes a pod of so many.
 */
const MAX_CONTAINERS = 1000;

/** Decides on a pod that is created, or would be from a template. */
export function decidePod(namespace: string, pod: Pod, snapshot: Snapshot): Decision {
  if (isNeverTouched(namespace, pod, snapshot.policy.systemNamespace)) return allow("NotOurs");
  const read = intentOf(pod, snapshot.bindings);
  if (!read.ok) return deny(read.reason, read.causes, read.warnings);
  const { intent, warnings } = read;
  if (intent.optedOut) return allow("OptedOut", warnings);
  if (intent.serve === undefined && intent.export === undefined) {
    return allow("NothingAsked", warnings);
  }
  if (isWindows(pod)) {
    const message = "a Windows pod can not be given a model; left as it is";
    return allow("NotOurs", [...warnings, { reason: "NotOurs", message }]);
  }
  const count = countContainers(pod);
  if (count > MAX_CONTAINERS) {
    const message = `the pod has ${count} containers; a model can be given to pods of at most ${MAX_CONTAINERS}`;
    return deny("InvalidObject", [{ field: "spec.containers", message }], warnings);
  }
  if (intent.export !== undefined) {
    return decideTrainingPod(namespace, pod, intent.export, snapshot, warnings);
  }
  return intent.serve === undefined
    ? allow("NothingAsked", warnings)
    : decideServingPod(pod, intent.serve, snapshot, warnings);
}

/** What a decision on a pod that is created looks up, when these bindings are in effect. */
export function podReferences(
  namespace: string,
  pod: Pod,
  bindings: readonly ModelBinding[],
): References {
  const read = intentOf(pod, bindings);
  const wanted = wantedIn(read);
  const template = templateKey(namespace, pod);
  // A version that the pod names is the same for all; what a Model stands for, or a binding says, can change between two pods.
  const isFixed = wanted.every((each) => "modelVersion" in each && each.boundAt === undefined);
  const isExport = read.ok && read.intent.export !== undefined;
  const owner = isExport ? controllerOf(pod) : undefined;
  return {
    namespace,
    versions: [],
    wanted,
    ...(isFixed || template === undefined ? {} : { template }),
    ...(owner === undefined ? {} : { owner }),
  };
}

/** The models that a pod asks for, when these bindings are in effect. */
export function wantedBy(pod: Pod, bindings: readonly ModelBinding[]): readonly Wanted[] {
  return wantedIn(intentOf(pod, bindings));
}

function wantedIn(read: IntentResult): readonly Wanted[] {
  const serve = read.ok ? read.intent.serve : undefined;
  return serve?.models.map(({ wanted }) => wanted) ?? [];
}

/** What is asked for a pod: by its annotations, else by a binding. */
export function intentOf(pod: Pod, bindings: readonly ModelBinding[]): IntentResult {
  const { annotations, labels } = pod.metadata ?? {};
  return readIntent(annotations, "metadata.annotations", boundBy(bindings, labels));
}

/** Containers of the pod, without those that an earlier call of this admission added. */
function countContainers(pod: Pod): number {
  const { containers, initContainers } = pod.spec ?? {};
  return (containers?.length ?? 0) + (initContainers?.length ?? 0) - loadersOf(pod).length;
}

function isWindows(pod: Pod): boolean {
  const { os, nodeSelector } = pod.spec ?? {};
  return (os?.name ?? nodeSelector?.["kubernetes.io/os"]) === "windows";
}
