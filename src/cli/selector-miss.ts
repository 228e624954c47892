import { selects } from "../api/label-selector.ts";
import type { LabelSelector } from "../api/modelbinding.ts";
import { editsFor, nearest } from "../api/nearest.ts";

type Labels = Readonly<Record<string, string>>;
type Requirement = NonNullable<LabelSelector["matchExpressions"]>[number];

/** Edits within which another key of a label may be the one that was meant. */
const SUGGEST_DISTANCE = 2;

/** Why a selector does not take an object with these labels, a sentence for each part that it fails; empty when it does. */
export function selectorMisses(selector: LabelSelector, labels: Labels): readonly string[] {
  const { matchLabels = {}, matchExpressions = [] } = selector;
  if (Object.keys(matchLabels).length === 0 && matchExpressions.length === 0) {
    return ["its selector is empty, which selects nothing"];
  }
  return [
    ...Object.entries(matchLabels)
      .filter(([key, value]) => !selects({ matchLabels: { [key]: value } }, labels))
      .map(([key, value]) => `it wants ${key}=${value}, and the pod has ${found(key, labels)}`),
    ...matchExpressions
      .filter((requirement) => !selects({ matchExpressions: [requirement] }, labels))
      .map(
        (requirement) =>
          `it wants ${wish(requirement)}, and the pod has ${found(requirement.key, labels)}`,
      ),
  ];
}

function found(key: string, labels: Labels): string {
  if (Object.hasOwn(labels, key)) return `${key}=${labels[key]}`;
  const meant = nearest(key, Object.keys(labels), editsFor(key, SUGGEST_DISTANCE));
  return meant === undefined ? `no label ${key}` : `no label ${key}, only ${meant}`;
}

function wish({ key, operator, values = [] }: Requirement): string {
  switch (operator) {
    case "In":
      return `${key} to be one of ${values.join(", ")}`;
    case "NotIn":
      return `${key} to be none of ${values.join(", ")}`;
    case "Exists":
      return `a label ${key}`;
    case "DoesNotExist":
      return `no label ${key}`;
  }
}
