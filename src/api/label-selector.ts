import { own } from "./fields.ts";
import type { LabelSelector } from "./modelbinding.ts";
import { isLabelKey, isLabelValue } from "./names.ts";

type Requirement = NonNullable<LabelSelector["matchExpressions"]>[number];

/** A query that no object answers; the API server would take an empty one for all objects. */
const NOTHING = "nothing,!nothing";

/** True when the labels keep all that the selector asks for (metav1.LabelSelector); one that asks for nothing selects nothing. */
export function selects(
  selector: LabelSelector,
  labels: Readonly<Record<string, string>> | undefined,
): boolean {
  const { pairs, requirements } = partsOf(selector);
  if (pairs.length + requirements.length === 0) return false;
  // What is stored may be null.
  const valueOf = (key: string): string | undefined => own(labels ?? {}, key);
  return (
    pairs.every(([key, value]) => valueOf(key) === value) &&
    requirements.every((requirement) => isKept(requirement, valueOf(requirement.key)))
  );
}

/** The selector as a `labelSelector` query; one that asks for nothing, or for what the API server would refuse, finds nothing. */
export function selectorText(selector: LabelSelector): string {
  const { pairs, requirements } = partsOf(selector);
  const texts = [
    ...pairs.map(([key, value]) =>
      isLabelKey(key) && isLabelValue(value) ? `${key}=${value}` : undefined,
    ),
    ...requirements.map(textOf),
  ];
  return texts.length === 0 || texts.includes(undefined) ? NOTHING : texts.join(",");
}

function partsOf(selector: LabelSelector): {
  readonly pairs: readonly (readonly [string, string])[];
  readonly requirements: readonly Requirement[];
} {
  return {
    pairs: Object.entries(selector.matchLabels ?? {}),
    requirements: selector.matchExpressions ?? [],
  };
}

/** Whether the label's value, or its absence, keeps the requirement. */
function isKept({ operator, values }: Requirement, value: string | undefined): boolean {
  const listed = values ?? [];
  switch (operator) {
    case "In":
      return value !== undefined && listed.includes(value);
    case "NotIn":
      // Without a value it would keep nothing out, and the API server refuses it.
      return listed.length > 0 && (value === undefined || !listed.includes(value));
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
    // A newer schema may store others.
    default:
      return false;
  }
}

function textOf({ key, operator, values }: Requirement): string | undefined {
  const listed = values ?? [];
  if (!isLabelKey(key)) return undefined;
  switch (operator) {
    case "In":
    case "NotIn":
      if (listed.length === 0 || !listed.every(isLabelValue)) return undefined;
      return `${key} ${operator.toLowerCase()} (${listed.join(",")})`;
    case "Exists":
      return key;
    case "DoesNotExist":
      return `!${key}`;
    default:
      return undefined;
  }
}
