import {
  ANNOTATIONS,
  isAsking,
  parseExport,
  parseResources,
  type ExportIntent,
} from "../api/annotations.ts";
import type { ResourceRequirements } from "../api/kube-types.ts";
import { DELIVERIES } from "../api/modelbinding.ts";
import type { Reason } from "../api/reasons.ts";
import type { Cause, Warning } from "../api/review.ts";
import { show } from "../api/schema-faults.ts";
import { resourceFaults } from "./resource-faults.ts";
import type { Bound } from "./bound.ts";
import { unknownKeysOf } from "./unknown-keys.ts";
import {
  boundField,
  boundModel,
  contradictions,
  namingKey,
  readModels,
  readMountPath,
  type BoundServe,
  type WantedModel,
} from "./wanted-models.ts";

/** A pod that wants models delivered. */
export interface ServeIntent {
  /** One at least, in the order in which they are asked for. */
  readonly models: readonly WantedModel[];
  readonly delivery: (typeof DELIVERIES)[number];
  /** Where the delivery is asked for, or could be. */
  readonly deliveryField: string;
  /** Containers that get the mounts; every one when absent. */
  readonly containers: readonly string[] | undefined;
  /** Where the containers are named. */
  readonly containersField: string;
  /** Where the containers are a binding's: it is for many kinds of pods, which may have some of them, or none. */
  readonly areContainersBound?: true;
  readonly loaderResources: ResourceRequirements | undefined;
  /** The ModelBinding that asks for the pod; absent where its annotations do. */
  readonly binding?: string;
}

/** A pod whose model is to be exported. */
export interface ExportAsked {
  readonly intent: ExportIntent;
  /** The ModelBinding that asks for it; absent where the pod's annotation does. */
  readonly binding?: string;
}

/** What is asked for a pod. */
interface Intent {
  readonly serve?: ServeIntent;
  readonly export?: ExportAsked;
  /** True when the pod is to be left alone. */
  readonly optedOut: boolean;
}

/** The intent, or every reason why there is none. */
export type IntentResult =
  | { readonly ok: true; readonly intent: Intent; readonly warnings: readonly Warning[] }
  | {
      readonly ok: false;
      readonly reason: Reason;
      readonly causes: readonly Cause[];
      readonly warnings: readonly Warning[];
    };

type Annotations = Readonly<Record<string, string>>;
type Fault = (key: string, message: string, below?: string) => void;

/**
 * Reads what the annotations at `path` (such as `metadata.annotations`) ask for, and what a binding asks for where they name
 * no model: `mount-path` and the like then change what the binding says.
 */
export function readIntent(
  annotations: Annotations | null | undefined,
  path: string,
  bound?: Bound,
): IntentResult {
  const given = Object.fromEntries(
    Object.entries(annotations ?? {}).filter(([key]) => isAsking(key)),
  );
  const optOut = given[ANNOTATIONS.inject];
  if (optOut === "false") {
    return { ok: true, intent: { optedOut: true }, warnings: idleWhenOptedOut(given) };
  }
  const causes: Cause[] = [];
  const fault: Fault = (key, message, below = "") => {
    const sub = below === "" || below.startsWith("[") ? below : `.${below}`;
    causes.push({ field: `${path}[${key}]${sub}`, message });
  };
  if (optOut !== undefined && optOut !== "true") {
    fault(ANNOTATIONS.inject, `${show(optOut)} is not allowed; allowed: "false", "true"`);
  }
  const unknown = unknownKeysOf(Object.keys(given));
  for (const { key, meant } of unknown.misspelt) fault(key, `is unknown; did you mean ${meant}?`);
  const contradicting = contradictions(given);
  for (const [key, message] of contradicting) fault(key, message);
  const exported = readExport(given, fault);
  const isExport = given[ANNOTATIONS.export] !== undefined;
  const naming = namingKey(given);
  // Annotations win whole: what they say of exporting or serving, a binding says nothing to.
  const free = isExport || naming !== undefined ? undefined : bound;
  const serve = readServe(
    given,
    path,
    free !== undefined && "serve" in free ? free : undefined,
    fault,
  );
  const boundExport = free !== undefined && "export" in free ? free : undefined;
  const isBoth = isExport && naming !== undefined;
  if (isBoth) fault(ANNOTATIONS.export, `excludes ${naming}: a pod exports or serves`);
  const isIdle = serve === undefined && naming === undefined;
  const warnings = [...unknown.warnings, ...(isIdle ? idleKeys(given) : [])];
  if (causes.length > 0) {
    const reason =
      unknown.misspelt.length > 0
        ? "UnknownAnnotation"
        : isBoth || contradicting.length > 0
          ? "ContradictingAnnotations"
          : "InvalidAnnotation";
    return { ok: false, reason, causes, warnings };
  }
  const intent: Intent = {
    ...(serve === undefined ? {} : { serve }),
    ...(exported === undefined ? {} : { export: { intent: exported } }),
    ...(boundExport === undefined
      ? {}
      : { export: { intent: boundExport.export, binding: boundExport.name } }),
    optedOut: false,
  };
  return { ok: true, intent, warnings };
}

function readServe(
  given: Annotations,
  path: string,
  bound: BoundServe | undefined,
  fault: Fault,
): ServeIntent | undefined {
  const isNamed = namingKey(given) !== undefined;
  const fromBinding =
    isNamed || bound === undefined ? undefined : boundModel(bound, readMountPath(given, fault));
  if (!isNamed && fromBinding === undefined) return undefined;
  const models = fromBinding === undefined ? readModels(given, path, fault) : [fromBinding];
  const binding = fromBinding === undefined ? undefined : bound;
  const delivery = readDelivery(given, fault);
  const containers = given[ANNOTATIONS.containers]?.split(",").map((name) => name.trim());
  const loaderResources = readResources(given, fault);
  if (models.length === 0) return undefined;
  const isBound = (key: string, field: "delivery" | "containers"): boolean =>
    given[key] === undefined && binding?.serve[field] !== undefined;
  const fieldOf = (key: string, field: "delivery" | "containers"): string =>
    binding !== undefined && isBound(key, field)
      ? `${boundField(binding)}.${field}`
      : `${path}[${key}]`;
  return {
    models,
    delivery: delivery ?? binding?.serve.delivery ?? "auto",
    deliveryField: fieldOf(ANNOTATIONS.delivery, "delivery"),
    containers: containers ?? binding?.serve.containers,
    containersField: fieldOf(ANNOTATIONS.containers, "containers"),
    ...(isBound(ANNOTATIONS.containers, "containers") ? { areContainersBound: true } : {}),
    loaderResources,
    ...(binding === undefined ? {} : { binding: binding.name }),
  };
}

function readDelivery(given: Annotations, fault: Fault): ServeIntent["delivery"] | undefined {
  const delivery = given[ANNOTATIONS.delivery];
  if (delivery === undefined) return undefined;
  const known = DELIVERIES.find((each) => each === delivery);
  if (known === undefined) {
    const allowed = DELIVERIES.join(", ");
    fault(ANNOTATIONS.delivery, `${show(delivery)} is not allowed; allowed: ${allowed}`);
  }
  return known;
}

function readResources(given: Annotations, fault: Fault): ResourceRequirements | undefined {
  const text = given[ANNOTATIONS.loaderResources];
  if (text === undefined) return undefined;
  const parsed = parseResources(text);
  if (!parsed.ok) {
    for (const { field, message } of parsed.faults) {
      fault(ANNOTATIONS.loaderResources, message, field);
    }
    return undefined;
  }
  // The API server can not even read a pod with a quantity that is none, and would blame the webhook.
  for (const { field, message } of resourceFaults(parsed.value)) {
    fault(ANNOTATIONS.loaderResources, message, field);
  }
  return parsed.value as ResourceRequirements;
}

function readExport(given: Annotations, fault: Fault): ExportIntent | undefined {
  const text = given[ANNOTATIONS.export];
  if (text === undefined) return undefined;
  const parsed = parseExport(text);
  if (parsed.ok) return parsed.value;
  for (const { field, message } of parsed.faults) fault(ANNOTATIONS.export, message, field);
  return undefined;
}

function idleWhenOptedOut(given: Annotations): readonly Warning[] {
  const others = Object.keys(given).filter((key) => key !== ANNOTATIONS.inject);
  if (others.length === 0) return [];
  const message = `${ANNOTATIONS.inject} is "false", so ${others.join(", ")} has no effect`;
  return [{ reason: "OptedOut", message }];
}

/** Keys that shape a delivery where no delivery is asked for. */
function idleKeys(given: Annotations): readonly Warning[] {
  const shaping = [
    ANNOTATIONS.mountPath,
    ANNOTATIONS.delivery,
    ANNOTATIONS.containers,
    ANNOTATIONS.loaderResources,
  ];
  return shaping
    .filter((key) => given[key] !== undefined)
    .map((key) => ({
      reason: "IdleAnnotation",
      message: `${key} has no effect without ${ANNOTATIONS.modelVersion} or ${ANNOTATIONS.model}`,
    }));
}
