import { ANNOTATIONS } from "../api/annotations.ts";
import type { Workload } from "../jobs/places.ts";
import { WORKLOADS } from "../jobs/workloads.ts";
import {
  MAX_ANNOTATIONS,
  OWN_WORDS,
  annotationsChange,
  forEachKind,
  holdsAt,
  type Condition,
  type Question,
} from "./conditions.ts";

/** One webhook of the ValidatingWebhookConfiguration that gives hints on workloads. */
export interface HintRegistration {
  readonly name: string;
  readonly rules: readonly Rule[];
  readonly conditions: readonly Condition[];
}

/** The kinds that a webhook is for. */
export interface Rule {
  readonly group: string;
  readonly version: string;
  readonly resources: readonly string[];
}

/** Where every object, and the template of its pods below a job template, keeps annotations. */
const OWN = "metadata.annotations";
const OF_PODS = "spec.template.metadata.annotations";

/** Hints are not worth the time that looking at more of them would take: beyond these limits there are none. */
const MAX_TEMPLATES = 64;

const SAYS_OURS: Question = {
  leaf: `a.size() <= ${MAX_ANNOTATIONS} && a.exists(k, ${OWN_WORDS})`,
  most: MAX_TEMPLATES,
  beyond: false,
};

/** Its controller made it from another object, whose applier has had the hints. */
const FREE = `!object.?metadata.?ownerReferences.orValue([]).exists(o, o.?controller.orValue(false))`;

/** Updates that only move status, finalizers, labels or annotations of others are none of our business. */
const CHANGES = [
  "request.operation == 'CREATE'",
  "object.?spec != oldObject.?spec",
  `${["object", "oldObject"]
    .map((each) => `${each}.?${OWN.replace(".", ".?")}.orValue({}).size() <= ${MAX_ANNOTATIONS}`)
    .join(" && ")} && (${annotationsChange(OWN_WORDS)})`,
].join(" || ");

/** The mutating webhook `jobs` says all that there is to say about these Jobs. */
const NOT_SAID = `request.kind.group != 'batch' || request.kind.kind != 'Job' || !(${[
  saysOurs(OWN),
  `'${ANNOTATIONS.export}' in object.?spec.?template.?metadata.?annotations.orValue({})`,
].join(" || ")})`;

/** The webhooks that give hints: one for the kinds that every cluster has, one for those that others bring. */
export const HINT_REGISTRATIONS: readonly HintRegistration[] = [
  registration("workloads", WORKLOADS.filter(isBuiltIn), [
    { name: "not-said-by-the-webhook-of-jobs", expression: NOT_SAID },
  ]),
  registration(
    "training-jobs",
    WORKLOADS.filter((row) => !isBuiltIn(row)),
    [],
  ),
];

function isBuiltIn({ group }: Workload): boolean {
  return group === "apps" || group === "batch";
}

function registration(
  name: string,
  workloads: readonly Workload[],
  more: HintRegistration["conditions"],
): HintRegistration {
  const asks = forEachKind(workloads, ({ places }) => [
    saysOurs(OWN),
    ...places.flatMap(({ path, makes }) => {
      const below = makes === "pods" ? [OWN] : [OWN, OF_PODS];
      return below.map((each) => saysOurs(`${path}.${each}`));
    }),
  ]);
  return {
    name,
    rules: workloads.map(({ group, version, plural }) => ({
      group,
      version,
      resources: [plural],
    })),
    conditions: [
      { name: "no-controller-made-it", expression: FREE },
      ...asks,
      ...more,
      { name: "spec-or-our-annotations-change", expression: CHANGES },
    ],
  };
}

/** CEL: an annotation of ours stands at this path of the object. */
function saysOurs(path: string): string {
  return holdsAt(path, SAYS_OURS);
}
