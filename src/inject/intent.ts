import {
  ANNOTATIONS,
  DEFAULT_MOUNT_PATH,
  PREFIX,
  UNSUPPORTED_ANNOTATIONS,
  parseExport,
  parseResources,
  type ExportIntent,
} from "../api/annotations.ts";
import type { ResourceRequirements } from "../api/kube-types.ts";
import { isDnsSubdomain } from "../api/names.ts";
import type { Reason } from "../api/reasons.ts";
import type { Cause, Warning } from "../api/review.ts";
import { cleanMountPath } from "../api/path.ts";
import { nearest } from "../api/nearest.ts";
import { resourceFaults } from "./resource-faults.ts";

/** A pod that wants a model delivered. */
export interface ServeIntent {
  /** ModelVersion in the pod's namespace. */
  readonly modelVersion: string;
  readonly mountPath: string;
  readonly delivery: "auto" | "copy";
  /** Containers that get the mount; every one when absent. */
  readonly containers: readonly string[] | undefined;
  readonly loaderResources: ResourceRequirements | undefined;
}

/** What the annotations ask for. */
interface Intent {
  readonly serve?: ServeIntent;
  readonly export?: ExportIntent;
  /** True when the pod is to be left alone. */
  readonly optedOut: boolean;
}

/** The intent, or every reason why the annotations state none. */
export type IntentResult =
  | { readonly ok: true; readonly intent: Intent; readonly warnings: readonly Warning[] }
  | {
      readonly ok: false;
      readonly reason: Reason;
      readonly causes: readonly Cause[];
      readonly warnings: readonly Warning[];
    };

/** Keys that a user may set; `status` is the webhook's. */
const KNOWN: readonly string[] = Object.values(ANNOTATIONS).filter(
  (key) => key !== ANNOTATIONS.status,
);

const KNOWN_NAMES = KNOWN.map((key) => key.slice(PREFIX.length));

/** Edits within which an unknown key counts as a misspelt one. */
const TYPO_DISTANCE = 2;

type Annotations = Readonly<Record<string, string>>;

/** Reads what the annotations at `path` (such as `metadata.annotations`) ask for. */
export function readIntent(annotations: Annotations | undefined, path: string): IntentResult {
  const given = ownKeys(annotations);
  const optOut = given[ANNOTATIONS.inject];
  if (optOut === "false") {
    const others = Object.keys(given).filter((key) => key !== ANNOTATIONS.inject);
    const warnings =
      others.length === 0
        ? []
        : [
            {
              reason: "OptedOut" as const,
              message: `${ANNOTATIONS.inject} is "false", so ${others.join(", ")} has no effect`,
            },
          ];
    return { ok: true, intent: { optedOut: true }, warnings };
  }
  const causes: Cause[] = [];
  const fault = (key: string, message: string, below = ""): void => {
    causes.push({ field: `${path}[${key}]${below === "" ? "" : `.${below}`}`, message });
  };
  if (optOut !== undefined && optOut !== "true") {
    fault(ANNOTATIONS.inject, `${JSON.stringify(optOut)} is not allowed; allowed: "false", "true"`);
  }
  const unknown = readUnknown(given, fault);
  const serve = readServe(given, fault);
  const exported = readExport(given, fault);
  const contradicts = serve !== undefined && exported !== undefined;
  if (contradicts) {
    fault(ANNOTATIONS.export, `excludes ${ANNOTATIONS.modelVersion}: a pod exports or serves`);
  }
  const warnings = [...unknown.warnings, ...idleKeys(given)];
  if (causes.length > 0) {
    const reason = unknown.misspelt
      ? "UnknownAnnotation"
      : contradicts
        ? "ContradictingAnnotations"
        : "InvalidAnnotation";
    return { ok: false, reason, causes, warnings };
  }
  const intent: Intent = {
    ...(serve === undefined ? {} : { serve }),
    ...(exported === undefined ? {} : { export: exported }),
    optedOut: false,
  };
  return { ok: true, intent, warnings };
}

/** Our keys with the values given, without `status`, which the webhook writes. */
function ownKeys(annotations: Annotations | undefined): Annotations {
  return Object.fromEntries(
    Object.entries(annotations ?? {}).filter(
      ([key]) => key.startsWith(PREFIX) && key !== ANNOTATIONS.status,
    ),
  );
}

type Fault = (key: string, message: string, below?: string) => void;

function readUnknown(
  given: Annotations,
  fault: Fault,
): { readonly misspelt: boolean; readonly warnings: readonly Warning[] } {
  const warnings: Warning[] = [];
  let misspelt = false;
  for (const key of Object.keys(given)) {
    if (KNOWN.includes(key)) continue;
    if (UNSUPPORTED_ANNOTATIONS.includes(key)) {
      fault(
        key,
        `is not supported by this modelhook; name a version by ${ANNOTATIONS.modelVersion}`,
      );
      continue;
    }
    // Every key has the prefix: only the names are compared.
    const meant = nearest(key.slice(PREFIX.length), KNOWN_NAMES, TYPO_DISTANCE);
    if (meant === undefined) {
      warnings.push({
        reason: "UnknownAnnotation",
        message: `annotation ${key} is unknown and has no effect; known: ${KNOWN.join(", ")}`,
      });
    } else {
      misspelt = true;
      fault(key, `is unknown; did you mean ${PREFIX}${meant}?`);
    }
  }
  return { misspelt, warnings };
}

function readServe(given: Annotations, fault: Fault): ServeIntent | undefined {
  const modelVersion = given[ANNOTATIONS.modelVersion];
  if (modelVersion === undefined) return undefined;
  if (!isDnsSubdomain(modelVersion)) {
    fault(
      ANNOTATIONS.modelVersion,
      `${JSON.stringify(modelVersion)} is not the name of a ModelVersion (lower case letters, digits, "-" and ".", at most 253)`,
    );
  }
  const mountPath = given[ANNOTATIONS.mountPath] ?? DEFAULT_MOUNT_PATH;
  if (cleanMountPath(mountPath) === undefined) {
    fault(
      ANNOTATIONS.mountPath,
      `${JSON.stringify(mountPath)} must be an absolute path without ".." and ":", and not /`,
    );
  }
  return {
    modelVersion,
    mountPath,
    delivery: readDelivery(given, fault),
    containers: given[ANNOTATIONS.containers]?.split(",").map((name) => name.trim()),
    loaderResources: readResources(given, fault),
  };
}

function readDelivery(given: Annotations, fault: Fault): ServeIntent["delivery"] {
  const delivery = given[ANNOTATIONS.delivery] ?? "auto";
  if (delivery === "auto" || delivery === "copy") return delivery;
  fault(ANNOTATIONS.delivery, `${JSON.stringify(delivery)} is not allowed; allowed: auto, copy`);
  return "auto";
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

/** Keys that shape a delivery where no delivery is asked for. */
function idleKeys(given: Annotations): readonly Warning[] {
  if (given[ANNOTATIONS.modelVersion] !== undefined) return [];
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
      message: `${key} has no effect without ${ANNOTATIONS.modelVersion}`,
    }));
}
