import { idleOnWorkload } from "../admission/workload-hints.ts";
import { ANNOTATIONS, LABELS } from "../api/annotations.ts";
import type { KubeObject } from "../api/kube-types.ts";
import { listed } from "../api/listed.ts";
import type { ModelBinding, ModelBindingSpec } from "../api/modelbinding.ts";
import { wantedText } from "../api/wanted.ts";
import type { ServeIntent } from "../inject/intent.ts";
import { workloadOf } from "../jobs/workloads.ts";
import { isUnread, type Line, type PodFacts } from "./pod-facts.ts";
import { selectorMisses } from "./selector-miss.ts";

/** Bindings of which it is told why they do not select the pod. */
const MOST_BINDINGS = 5;

/** What asks for the pod; where nothing does, what came nearest to it. */
export function explainAsking(facts: PodFacts): readonly Line[] {
  const { read } = facts;
  const said = read.warnings.map(({ message }): Line => ["", message]);
  if (!read.ok) {
    const causes = read.causes.map(({ field, message }): Line => ["", `${field}: ${message}`]);
    return [["Asks", "in a way that can not be followed:"], ...causes, ...said];
  }
  const { optedOut, serve, export: exported } = read.intent;
  if (optedOut) {
    return [["Asks", `for nothing: its annotation ${ANNOTATIONS.inject} is "false"`], ...said];
  }
  if (exported !== undefined) {
    const { intent, binding } = exported;
    const by =
      binding === undefined ? `its annotation ${ANNOTATIONS.export}` : `ModelBinding ${binding}`;
    const text = `to export a version of Model ${intent.modelName} to ${intent.imageRepo}, by ${by}`;
    return [["Asks", text], ...said];
  }
  if (serve !== undefined) return [["Asks", servingText(serve)], ...said];
  return [
    [
      "Asks",
      "for nothing: it has no annotation that names a model, and no ModelBinding selects it",
    ],
    ...said,
    ...(facts.status?.binding === undefined
      ? []
      : [["", `ModelBinding ${facts.status.binding} did when it was made`] as const]),
    ...facts.owners.flatMap(idleOnOwner),
    ...explainBindings(facts),
  ];
}

function servingText({ models, binding }: ServeIntent): string {
  const isOne = models.length === 1;
  const texts = models.map(
    ({ wanted, mountPath }) => wantedText(wanted) + (isOne ? "" : ` at ${mountPath}`),
  );
  const asker = binding === undefined ? "its annotations" : `ModelBinding ${binding}`;
  return `for ${texts.join(" and ")}, by ${asker}`;
}

/** Annotations that were meant for the pods. */
function idleOnOwner(owner: KubeObject): readonly Line[] {
  const { kind, metadata } = owner;
  const workload = workloadOf(owner);
  if (workload === undefined) return [];
  return idleOnWorkload(owner, workload).map(({ message }) => [
    "",
    `${kind} ${metadata?.name}: ${message}`,
  ]);
}

function explainBindings(facts: PodFacts): readonly Line[] {
  const { bindings, namespace, pod } = facts;
  if (isUnread(facts, "modelbindings")) return [];
  if (bindings.length === 0) return [["", `namespace ${namespace} has no ModelBinding`]];
  const labels = pod.metadata?.labels ?? {};
  const judged = bindings
    .map((binding) => ({ binding, misses: missesOf(binding, labels) }))
    .toSorted((a, b) => a.misses.length - b.misses.length);
  const shown = judged.slice(0, MOST_BINDINGS).map(({ binding, misses }): Line => {
    const why =
      misses.length === 0 ? "would select it" : `does not select it: ${misses.join("; ")}`;
    return ["", `ModelBinding ${binding.metadata.name} ${why}`];
  });
  const others = judged.slice(MOST_BINDINGS).map(({ binding }) => binding.metadata.name ?? "");
  return [
    ...explainConsent(facts),
    ...shown,
    ...(others.length === 0 ? [] : [["", `nor do ${listed(others)}`] as const]),
  ];
}

/** Whether the namespace lets its bindings take effect. */
function explainConsent({ snapshot, namespace, ...facts }: PodFacts): readonly Line[] {
  if (snapshot.injectionEnabled) return [];
  const label = `${LABELS.injection}=enabled`;
  return isUnread(facts, "namespaces")
    ? [["", `ModelBindings are in effect if namespace ${namespace} has the label ${label}`]]
    : [["", `no ModelBinding is in effect: namespace ${namespace} has no label ${label}`]];
}

function missesOf({ metadata, spec }: ModelBinding, labels: Readonly<Record<string, string>>) {
  const { serve, selector }: Partial<ModelBindingSpec> = spec ?? {};
  if (metadata.deletionTimestamp !== undefined) return ["it is being deleted"];
  if (serve === undefined) return ["it serves no model"];
  return selectorMisses(selector ?? {}, labels);
}
