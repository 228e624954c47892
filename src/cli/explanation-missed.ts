import { selects } from "../api/label-selector.ts";
import { parseTime } from "../api/time.ts";
import { controllerOf } from "../jobs/owner.ts";
import type { Line, PodFacts } from "./pod-facts.ts";

/** Why a pod that asks for something has nothing, as far as that can be seen, and what to do. */
export function explainMissing(facts: PodFacts): readonly Line[] {
  if (facts.isGiven || !isAsking(facts)) return [];
  const seen = [...configurationCauses(facts), ...ageCauses(facts)];
  const causes = seen.length > 0 ? seen : [unseenCause(facts)];
  return [
    ["Missed", "it was made without that, and nothing changes a pod that is there"],
    ...causes.map((text): Line => ["", text]),
    ["Do", remedy(facts)],
  ];
}

function isAsking({ again }: PodFacts): boolean {
  if (again.state !== "decided") return again.state === "broken";
  const { allowed, reason } = again.decision;
  return !allowed || reason === "Injected" || reason === "Gated" || reason === "ExportHooked";
}

function configurationCauses({
  configuration,
  pod,
  read,
  world,
  namespace,
}: PodFacts): readonly string[] {
  if (configuration === undefined) return [];
  if (configuration === "absent") {
    return [
      "there is no MutatingWebhookConfiguration modelhook: modelhook is not installed, or has never been ready",
    ];
  }
  const labels = world.namespaces.find(({ metadata }) => metadata?.name === namespace)?.metadata
    ?.labels;
  const { metadata, webhooks = [] } = configuration;
  const own = webhooks.filter(({ name }) =>
    name.startsWith(isBound(read) ? "bound-pods." : "pods."),
  );
  const isLeftOut = own.some(
    ({ namespaceSelector = {} }) =>
      labels !== undefined &&
      Object.keys(namespaceSelector).length > 0 &&
      !selects(namespaceSelector, labels),
  );
  return [
    ...olderThan(
      pod.metadata?.creationTimestamp,
      metadata?.creationTimestamp,
      "the MutatingWebhookConfiguration modelhook",
    ),
    ...(isLeftOut
      ? [`the namespaceSelector of ${own[0]?.name} leaves out namespace ${namespace}`]
      : []),
    ...(own.length === 0
      ? ["the MutatingWebhookConfiguration modelhook has no webhook for such pods"]
      : []),
    ...own
      .filter(({ failurePolicy }) => failurePolicy === "Ignore")
      .map(
        ({ name }) =>
          `the failurePolicy of ${name} is Ignore: while modelhook does not answer, pods are made without it`,
      ),
  ];
}

function ageCauses({ read, bindings, pod }: PodFacts): readonly string[] {
  const name = read.ok ? read.intent.serve?.binding : undefined;
  const binding = bindings.find(({ metadata }) => metadata.name === name);
  if (name === undefined || binding === undefined) return [];
  return olderThan(
    pod.metadata?.creationTimestamp,
    binding.metadata.creationTimestamp,
    `ModelBinding ${name}`,
  );
}

function olderThan(
  pod: string | undefined,
  other: string | undefined,
  what: string,
): readonly string[] {
  return pod !== undefined && other !== undefined && parseTime(pod) < parseTime(other)
    ? [`it is older than ${what}: ${pod} and ${other}`]
    : [];
}

/** Pods that say nothing themselves come by another webhook. */
function isBound(read: PodFacts["read"]): boolean {
  return read.ok && read.intent.serve?.binding !== undefined;
}

function unseenCause({ read }: PodFacts): string {
  return isBound(read)
    ? "its labels, the ModelBinding's selector or the label of its namespace changed after it was made, or modelhook's webhooks were not there then"
    : "its annotations were changed after it was made, or modelhook's webhooks were not there then";
}

function remedy({ pod, read, again }: PodFacts): string {
  const owner = controllerOf(pod);
  if (read.ok && read.intent.export !== undefined) {
    const whole = owner === undefined ? "it" : `${owner.kind} ${owner.name}`;
    return `delete ${whole} and make it anew: what this pod writes is not kept`;
  }
  const deletion =
    owner === undefined
      ? "delete it and make it anew"
      : `delete it, so that ${owner.kind} ${owner.name} makes it anew`;
  if (again.state !== "decided" || !again.decision.allowed) {
    return `set right why a new one would be denied, then ${deletion}`;
  }
  // Else a pod that runs would be exchanged for one that waits.
  const when = again.decision.reason === "Gated" ? "once the model is built, " : "";
  return `${when}${deletion}`;
}
