import { CLEANERS } from "../admission/version-deletion.ts";
import { LABELS, PREFIX, VERSION_ANNOTATIONS } from "../api/annotations.ts";
import { GROUP, VERSION } from "../api/crd.ts";
import type { WebhookConfiguration } from "../tls/ca-bundle.ts";
import type { JobKind } from "../jobs/job-kind.ts";
import { BATCH_JOB } from "../jobs/kinds.ts";
import { OWN_WORDS, annotationsChange, tooMany } from "./conditions.ts";
import { HINT_REGISTRATIONS, type HintRegistration, type Rule } from "./hint-registrations.ts";
import { jobRegistration } from "./job-registrations.ts";

/** Where the API server finds us, and what it is to trust. */
export interface RegistrationOptions {
  /** Name of both configurations, and of the ConfigMap of limits. */
  readonly name: string;
  /** Our own namespace; its pods and jobs never reach us. */
  readonly namespace: string;
  /** A Service of that namespace (port 443 by default), or `https://host:port` of a process outside of the cluster. */
  readonly endpoint: Endpoint;
  /** PEM. */
  readonly caBundle: string;
  /** Kinds of jobs that export. */
  readonly jobKinds: readonly JobKind[];
}

type Endpoint = { readonly service: string; readonly port?: number } | { readonly url: string };

/** The pod says something in our words. */
const ASKS =
  `has(object.metadata.annotations) && (${tooMany("object.metadata.annotations")} || ` +
  `object.metadata.annotations.exists(k, ${OWN_WORDS}))`;

const OURS = `k.startsWith('${PREFIX}') && k != '${VERSION_ANNOTATIONS.retry}'`;

const jobUidOf = (object: string): string =>
  `${object}.?metadata.?labels[?'${LABELS.jobUid}'].orValue('')`;

/**
 * New, or with another spec, other annotations of ours, or the label of another job: updates that only move status, finalizers,
 * other labels or `retry` never wait for us.
 */
const CHANGES = [
  "request.operation == 'CREATE'",
  "object.?spec != oldObject.?spec",
  // What is being deleted must go on going, whatever it carries.
  `!has(object.metadata.deletionTimestamp) && (${[
    ...["object", "oldObject"].map((each) => tooMany(`${each}.?metadata.?annotations.orValue({})`)),
    annotationsChange(OURS),
  ].join(" || ")})`,
  `${jobUidOf("object")} != ${jobUidOf("oldObject")}`,
].join(" || ");

/** What empties a namespace or follows an owner is never held up, not even by the time that a call takes. */
const DELETES = `!(request.userInfo.username in [${CLEANERS.map((user) => `'${user}'`).join(", ")}])`;

/** The ConfigMap of limits, when it is made or says something else. */
const limitsChange = (name: string): string =>
  `object.metadata.name == '${name}' && (request.operation == 'CREATE' || object.?data != oldObject.?data)`;

/**
 * The webhook configurations, MutatingWebhookConfiguration then ValidatingWebhookConfiguration. Every default of the API is written
 * out, so that the live ones can be compared with them. Conditions must hold for objects without annotations or owners: an
 * expression that fails denies.
 */
export function webhookConfigurations(
  options: RegistrationOptions,
): readonly WebhookConfiguration[] {
  const { name, namespace } = options;
  const metadata = { name, labels: { "app.kubernetes.io/name": "modelhook" } };
  const elsewhere = {
    matchExpressions: [
      {
        key: "kubernetes.io/metadata.name",
        operator: "NotIn",
        values: ["kube-system", namespace],
      },
    ],
  };
  const rule = { group: GROUP, version: VERSION, resources: ["models", "modelversions"] };
  const here = {
    matchExpressions: [{ key: "kubernetes.io/metadata.name", operator: "In", values: [namespace] }],
  };
  const kinds = {
    rule: { ...rule, resources: [...rule.resources, "modelbindings"] },
    operations: ["CREATE", "UPDATE"],
    condition: { name: "spec-or-our-metadata-changes", expression: CHANGES },
  };
  const others = options.jobKinds.filter((kind) => kind !== BATCH_JOB);
  const mutating = [
    webhook(options, "/mutate", {
      name: "pods",
      rule: { group: "", version: "v1", resources: ["pods"] },
      operations: ["CREATE"],
      namespaceSelector: elsewhere,
      condition: { name: "asks-for-something", expression: ASKS },
    }),
    webhook(options, "/mutate/bound", {
      name: "bound-pods",
      rule: { group: "", version: "v1", resources: ["pods"] },
      operations: ["CREATE"],
      namespaceSelector: {
        matchExpressions: [
          ...elsewhere.matchExpressions,
          { key: LABELS.injection, operator: "In", values: ["enabled"] },
        ],
      },
      // The others come by the webhook above.
      condition: { name: "asks-for-nothing-itself", expression: `!(${ASKS})` },
    }),
    jobWebhook(options, jobRegistration("jobs", [BATCH_JOB]), elsewhere),
    jobWebhook(options, jobRegistration("training-jobs", others), elsewhere),
    webhook(options, "/mutate", { name: "models", ...kinds }),
  ];
  const apiVersion = "admissionregistration.k8s.io/v1";
  return [
    {
      apiVersion,
      kind: "MutatingWebhookConfiguration",
      metadata,
      webhooks: mutating,
    },
    {
      apiVersion,
      kind: "ValidatingWebhookConfiguration",
      metadata,
      webhooks: [
        webhook(options, "/validate", { name: "models", ...kinds }),
        webhook(options, "/validate", {
          name: "deletions",
          rule,
          operations: ["DELETE"],
          condition: { name: "is-nobody-who-cleans-up", expression: DELETES },
          failurePolicy: "Ignore",
        }),
        webhook(options, "/validate", {
          name: "limits",
          rule: { group: "", version: "v1", resources: ["configmaps"] },
          operations: ["CREATE", "UPDATE"],
          namespaceSelector: here,
          condition: { name: "limits-change", expression: limitsChange(name) },
          // Limits can be mended while no replica runs; those that start look at them again.
          failurePolicy: "Ignore",
        }),
        ...HINT_REGISTRATIONS.map((each) => hintWebhook(options, each, elsewhere)),
      ],
    },
  ];
}

/** A job that came past us would lose its model in silence. */
function jobWebhook(
  options: RegistrationOptions,
  { name, rules, conditions }: HintRegistration,
  namespaceSelector: object,
) {
  return {
    ...severalKinds(options, "/mutate", { name, rules, conditions }, ["CREATE"], namespaceSelector),
    failurePolicy: "Fail",
  };
}

/** Nobody waits for hints: while we do not answer, objects are stored without them. */
function hintWebhook(
  options: RegistrationOptions,
  registration: HintRegistration,
  namespaceSelector: object,
) {
  const operations = ["CREATE", "UPDATE"];
  return {
    ...severalKinds(options, "/hint", registration, operations, namespaceSelector),
    failurePolicy: "Ignore",
    timeoutSeconds: 2,
  };
}

function severalKinds(
  options: RegistrationOptions,
  path: "/mutate" | "/hint",
  { name, rules, conditions }: HintRegistration,
  operations: readonly string[],
  namespaceSelector: object,
) {
  const [rule] = rules;
  const [condition] = conditions;
  if (rule === undefined || condition === undefined) throw new Error(`${name} is for no kind`);
  return {
    ...webhook(options, path, { name, rule, operations, namespaceSelector, condition }),
    rules: rules.map((each) => ruleOf(each, operations)),
    matchConditions: conditions,
  };
}

function webhook(
  { namespace, endpoint, caBundle }: RegistrationOptions,
  path: "/mutate" | "/mutate/bound" | "/validate" | "/hint",
  about: {
    readonly name: string;
    readonly rule: Rule;
    readonly operations: readonly string[];
    readonly namespaceSelector?: object;
    readonly condition: { readonly name: string; readonly expression: string };
    /** `Fail` unless said: what comes past us would lose its model in silence. */
    readonly failurePolicy?: "Fail" | "Ignore";
  },
) {
  const place =
    "url" in endpoint
      ? { url: endpoint.url + path }
      : { service: { namespace, name: endpoint.service, port: endpoint.port ?? 443, path } };
  return {
    name: `${about.name}.modelhook.kubedl.io`,
    admissionReviewVersions: ["v1"],
    clientConfig: { ...place, caBundle: Buffer.from(caBundle).toString("base64") },
    rules: [ruleOf(about.rule, about.operations)],
    failurePolicy: about.failurePolicy ?? "Fail",
    matchPolicy: "Equivalent",
    sideEffects: "None",
    timeoutSeconds: 5,
    namespaceSelector: about.namespaceSelector ?? {},
    objectSelector: {},
    matchConditions: [about.condition],
    // A container that another webhook adds after us needs the model too.
    ...(path.startsWith("/mutate") ? { reinvocationPolicy: "IfNeeded" } : {}),
  };
}

function ruleOf({ group, version, resources }: Rule, operations: readonly string[]) {
  return {
    apiGroups: [group],
    apiVersions: [version],
    operations,
    resources,
    scope: "Namespaced",
  };
}
