import { LABELS } from "../api/annotations.ts";
import { isForeignNamespace, isNeverTouched } from "../inject/untouched.ts";
import { controllerOf } from "../jobs/owner.ts";
import { explainAsking } from "./explanation-asks.ts";
import { explainGiven } from "./explanation-has.ts";
import { explainMissing } from "./explanation-missed.ts";
import { explainNext } from "./explanation-next.ts";
import { explainChanges } from "./explanation-since.ts";
import { explainWaiting } from "./explanation-waits.ts";
import { factsOf, type Line, type PodFacts, type PodObserved } from "./pod-facts.ts";

/** Why a pod was, or was not, given a model: a few lines, from what is known of it and its surroundings. */
export function explainPod(observed: PodObserved): readonly string[] {
  const facts = factsOf(observed);
  const { systemNamespace } = facts.world.policy;
  const isTouched = !isNeverTouched(facts.namespace, facts.pod, systemNamespace);
  const lines: readonly Line[] = [
    ["Pod", headline(facts)],
    ...(isTouched
      ? [
          ...explainAsking(facts),
          ...explainGiven(facts),
          ...explainChanges(facts),
          ...explainWaiting(facts),
          ...explainMissing(facts),
          ...explainNext(facts),
        ]
      : [["Left alone", untouchedText(facts)] as const]),
    ...facts.unread.map(({ message }): Line => ["Unread", message]),
  ];
  const width = Math.max(...lines.map(([label]) => label.length)) + 2;
  return lines.map(([label, text]) => label.padEnd(width) + text);
}

function headline({ pod, owners, namespace }: PodFacts): string {
  const { name, deletionTimestamp } = pod.metadata ?? {};
  const owner = controllerOf(pod);
  const above = owners[0] === undefined ? undefined : controllerOf(owners[0]);
  const makers = [owner, above].flatMap((each) =>
    each === undefined ? [] : [`${each.kind} ${each.name}`],
  );
  const phase = deletionTimestamp === undefined ? pod.status?.phase : "being deleted";
  return [
    `${namespace}/${name}`,
    ...(makers.length === 0 ? [] : [`made by ${makers.join(" of ")}`]),
    ...(phase === undefined ? [] : [phase]),
  ].join(", ");
}

function untouchedText({ pod, namespace, world }: PodFacts): string {
  if (isForeignNamespace(namespace, world.policy.systemNamespace)) {
    return `modelhook never touches the pods of namespace ${namespace}`;
  }
  return pod.metadata?.labels?.[LABELS.versionUid] === undefined
    ? "modelhook never touches static pods, which a kubelet runs from a file"
    : `modelhook never touches pods that build a version: it has the label ${LABELS.versionUid}`;
}
