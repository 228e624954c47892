import type { Pod } from "../api/kube-types.ts";
import type { ModelBinding } from "../api/modelbinding.ts";
import { boundBy } from "../inject/bound.ts";
import { readIntent } from "../inject/intent.ts";
import { servedModels } from "../inject/serving-status.ts";
import { isNeverTouched } from "../inject/untouched.ts";
import { controllerOf } from "../jobs/owner.ts";
import { exportBindingOf } from "./exporting-job.ts";
import { isGiven } from "./given.ts";

/** The pods of a binding, and who else has them. */
export interface PodsObserved {
  readonly binding: ModelBinding;
  /** All bindings of the namespace: one that is older may have the pods. */
  readonly bindings: readonly ModelBinding[];
  /** Namespace that modelhook runs in. */
  readonly systemNamespace: string;
  /** Metadata of the running pods of the namespace that the binding's selector selects. */
  readonly pods: readonly Pod[];
}

/** What became of the pods that a binding selects. */
export interface BoundPods {
  /** How many have a model. */
  readonly injected: number;
  /** How many of those have none of the image that a new pod would get. */
  readonly outdated: number;
  /** Names of those that were made without, in order. */
  readonly missed: readonly string[];
  /** How many an older binding has. */
  readonly yielded: number;
}

type Standing = "injected" | "missed" | "yielded" | "apart";

/** Counts the pods; `digest` is that of the image which a new pod would get, undefined while there is none. */
export function countPods(observed: PodsObserved, digest: string | undefined): BoundPods {
  const all = observed.pods.map((pod) => ({ pod, standing: standingOf(pod, observed) }));
  const those = (wanted: Standing): readonly Pod[] =>
    all.filter(({ standing }) => standing === wanted).map(({ pod }) => pod);
  const injected = those("injected");
  const isCurrent = (pod: Pod): boolean => servedModels(pod).some((each) => each.digest === digest);
  return {
    injected: injected.length,
    outdated: digest === undefined ? 0 : injected.filter((pod) => !isCurrent(pod)).length,
    missed: those("missed")
      .map(({ metadata }) => metadata?.name ?? "")
      .toSorted(),
    yielded: those("yielded").length,
  };
}

/**
 * | the pod | is |
 * | --- | --- |
 * | is being deleted, never touched, opted out, asks for something by annotations of its own, or in a way that can not be read | apart |
 * | is selected by an older binding, too | yielded |
 * | has a model | injected |
 * | has none | missed |
 */
function standingOf(pod: Pod, { binding, bindings, systemNamespace }: PodsObserved): Standing {
  const { namespace = "", name } = binding.metadata;
  const isExport = binding.spec?.export !== undefined;
  const { annotations, labels, deletionTimestamp } = pod.metadata ?? {};
  if (deletionTimestamp !== undefined || isNeverTouched(namespace, pod, systemNamespace)) {
    return "apart";
  }
  // Pods of a Deployment and the like never succeed; a binding that exports leaves them alone.
  if (isExport && controllerOf(pod)?.apiVersion === "apps/v1") return "apart";
  // What a binding exports, the webhook writes into the annotation of the pod.
  if (isExport && exportBindingOf(pod) === name) return "injected";
  const read = readIntent(annotations, "metadata.annotations", boundBy(bindings, labels));
  const asker = read.ok ? (read.intent.serve ?? read.intent.export)?.binding : undefined;
  if (asker === undefined) return "apart";
  if (asker !== name) return "yielded";
  return isGiven(pod) ? "injected" : "missed";
}
