import { ANNOTATIONS, PREFIX } from "../api/annotations.ts";
import { WORKLOADS, type Workload } from "../jobs/workloads.ts";

/** One webhook of the ValidatingWebhookConfiguration that gives hints on workloads. */
export interface HintRegistration {
  readonly name: string;
  readonly rules: readonly Rule[];
  readonly conditions: readonly {
    readonly name: string;
    readonly expression: string;
  }[];
}

/** The kinds that a webhook is for. */
export interface Rule {
  readonly group: string;
  readonly version: string;
  readonly resources: readonly string[];
}

/** Annotations that a user wrote in our words; CEL with the key as `k`. */
const OURS = `k.startsWith('${PREFIX}') && k != '${ANNOTATIONS.status}'`;

/** Where every object, and the template of its pods below a job template, keeps annotations. */
const OWN = "metadata.annotations";
const OF_PODS = "spec.template.metadata.annotations";

/**
 * Loops of CEL take the API server a time that grows with the square of their turns: 10 s for 40,000 annotations, measured on
 * Kubernetes 1.36. Nobody writes so many, and hints are not worth the time: beyond these limits there are none.
 */
const MAX_ANNOTATIONS = 256;
const MAX_TEMPLATES = 64;

/** Its controller made it from another object, whose applier has had the hints. */
const FREE = `!object.?metadata.?ownerReferences.orValue([]).exists(o, o.?controller.orValue(false))`;

/** Updates that only move status, finalizers, labels or annotations of others are none of our business. */
const CHANGES = [
  "request.operation == 'CREATE'",
  "object.?spec != oldObject.?spec",
  `${["object", "oldObject"]
    .map((each) => `${each}.?${OWN.replace(".", ".?")}.orValue({}).size() <= ${MAX_ANNOTATIONS}`)
    .join(" && ")} && (${annotationsChange(OURS)})`,
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

/** CEL: an annotation that `ours` tells by its key `k` is new, gone or another than before. */
export function annotationsChange(ours: string): string {
  const now = "object.?metadata.?annotations.orValue({})";
  const before = "oldObject.?metadata.?annotations.orValue({})";
  return [
    `${now}.exists(k, ${ours} && (!(k in ${before}) || ${before}[k] != ${now}[k]))`,
    `${before}.exists(k, ${ours} && !(k in ${now}))`,
  ].join(" || ");
}

function isBuiltIn({ group }: Workload): boolean {
  return group === "apps" || group === "batch";
}

function registration(
  name: string,
  workloads: readonly Workload[],
  more: HintRegistration["conditions"],
): HintRegistration {
  const paths = workloads.flatMap(({ kind, places }) =>
    places.flatMap(({ path, makes }) => {
      const below = makes === "pods" ? [OWN] : [OWN, OF_PODS];
      return below.map(
        (each) => `request.kind.kind == '${kind}' && ${saysOurs(`${path}.${each}`)}`,
      );
    }),
  );
  const asks = [...new Set([saysOurs(OWN), ...paths])].join(" || ");
  return {
    name,
    rules: workloads.map(({ group, version, plural }) => ({
      group,
      version,
      resources: [plural],
    })),
    conditions: [
      { name: "no-controller-made-it", expression: FREE },
      { name: "asks-for-something", expression: asks },
      ...more,
      { name: "spec-or-our-annotations-change", expression: CHANGES },
    ],
  };
}

/**
 * CEL: an annotation of ours stands at this path of the object. Fields of other kinds have no schema that we could rely on, so
 * each step may lead to nothing, to null or to something that is no map. What remains is a list in the place of a single object: it
 * makes the expression fail, and its applier gets no hints.
 */
function saysOurs(path: string): string {
  return says("object", path.split("*."));
}

function says(from: string, [steps = "", ...rest]: readonly string[]): string {
  const fields = steps.split(".").filter((step) => step !== "");
  const found = from + fields.map((step) => `.?${step}`).join("");
  const [next] = rest;
  if (next === undefined) {
    return `${found}.optMap(a, type(a) == map && a.size() <= ${MAX_ANNOTATIONS} && a.exists(k, ${OURS})).orValue(false)`;
  }
  const few = `m.size() <= ${MAX_TEMPLATES}`;
  const inMap = `${few} && m.exists(e, type(m[e]) == map && ${says("m[e]", rest)})`;
  const inList = `${few} && m.exists(e, type(e) == map && ${says("e", rest)})`;
  return `${found}.optMap(m, type(m) == map ? ${inMap} : type(m) == list && ${inList}).orValue(false)`;
}
