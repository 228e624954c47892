import { EMPTY_SELECTOR, type LabelSelector } from "../api/modelbinding.ts";
import { isLabelKey, isLabelValue } from "../api/names.ts";
import type { Cause } from "../api/review.ts";
import { show } from "../api/schema-faults.ts";

type Requirement = NonNullable<LabelSelector["matchExpressions"]>[number];

/** Every fault of a selector that has to select something; the words are those of metav1.LabelSelector. */
export function selectorCauses(selector: LabelSelector, path: string): readonly Cause[] {
  const { matchLabels = {}, matchExpressions = [] } = selector;
  if (Object.keys(matchLabels).length === 0 && matchExpressions.length === 0) {
    return [{ rule: "Selector", field: path, message: EMPTY_SELECTOR }];
  }
  return [
    ...Object.entries(matchLabels).flatMap(([key, value]) =>
      labelCauses(key, [value], `${path}.matchLabels`),
    ),
    ...matchExpressions.flatMap((requirement, index) =>
      requirementCauses(requirement, `${path}.matchExpressions[${index}]`),
    ),
  ];
}

function requirementCauses(
  { key, operator, values = [] }: Requirement,
  path: string,
): readonly Cause[] {
  const wantsValues = operator === "In" || operator === "NotIn";
  const causes = labelCauses(key, values, path);
  if (wantsValues === values.length > 0) return causes;
  const message = `${operator} ${wantsValues ? "needs values" : "has no values"}`;
  return [...causes, { rule: "Selector", field: `${path}.values`, message }];
}

function labelCauses(key: string, values: readonly string[], path: string): readonly Cause[] {
  const fault = (text: string, what: string): Cause => ({
    rule: "SelectorLabels",
    field: path,
    message: `${show(text)} is not the ${what} of a label`,
  });
  return [
    ...(isLabelKey(key) ? [] : [fault(key, "key")]),
    ...values.filter((value) => !isLabelValue(value)).map((value) => fault(value, "value")),
  ];
}

/** True when a pod can have labels that both selectors take. */
export function canSelectSame(one: LabelSelector, other: LabelSelector): boolean {
  const requirements = [...requirementsOf(one), ...requirementsOf(other)];
  const keys = new Set(requirements.map(({ key }) => key));
  return [...keys].every((key) => canHold(requirements.filter((each) => each.key === key)));
}

function requirementsOf({ matchLabels = {}, matchExpressions = [] }: LabelSelector): Requirement[] {
  const labels = Object.entries(matchLabels).map(([key, value]) => ({
    key,
    operator: "In" as const,
    values: [value],
  }));
  return [...labels, ...matchExpressions];
}

/** True when one label, or its absence, keeps all of these requirements on its key. */
function canHold(requirements: readonly Requirement[]): boolean {
  const of = (operator: Requirement["operator"]): readonly Requirement[] =>
    requirements.filter((each) => each.operator === operator);
  const within = of("In").map(({ values = [] }) => values);
  if (of("DoesNotExist").length > 0) return within.length === 0 && of("Exists").length === 0;
  const [first, ...rest] = within;
  // Without a list there is always one more value that is not excluded.
  if (first === undefined) return true;
  const excluded = new Set(of("NotIn").flatMap(({ values = [] }) => values));
  return first.some((value) => !excluded.has(value) && rest.every((each) => each.includes(value)));
}
