import {
  NOT_LABEL,
  NOT_OBJECT_NAME,
  modelBindingSpecSchema,
  type ModelBinding,
  type ModelBindingSpec,
} from "../api/modelbinding.ts";
import { isDnsLabel, isDnsSubdomain } from "../api/names.ts";
import { cleanMountPath } from "../api/path.ts";
import type { AdmissionRequest, Cause, Warning } from "../api/review.ts";
import type { Rule } from "../api/rules.ts";
import { schemaCauses, show } from "../api/schema-faults.ts";
import { NOT_MOUNT_PATH } from "../api/storage.ts";
import { whyWithoutEffect } from "../inject/binding-effect.ts";
import { allow, deny, type Decision } from "./decision.ts";
import { validateExportSpec } from "./export-intent.ts";
import { limitsOf, type VersionLimits } from "./policy.ts";
import { canSelectSame, selectorCauses } from "./selector.ts";
import type { Snapshot } from "./snapshot.ts";

/** Decides on a ModelBinding: denied with all its faults at once, and warned of others that may want the same pods. */
export function decideModelBinding(request: AdmissionRequest, snapshot: Snapshot): Decision {
  const binding = request.object as ModelBinding;
  const old = (request.oldObject ?? undefined) as ModelBinding | undefined;
  if (old !== undefined && JSON.stringify(old.spec) === JSON.stringify(binding.spec)) {
    return allow("Valid");
  }
  const limits = limitsOf(snapshot.policy, request.namespace ?? "");
  const causes = validateBindingSpec(binding.spec, limits);
  if (causes.length > 0) return deny("InvalidObject", causes);
  return allow("Valid", [
    ...overlaps(binding, snapshot),
    ...withoutEffect(request.namespace ?? "", snapshot),
  ]);
}

/** Said so that nobody waits for a model that never comes. */
function withoutEffect(
  namespace: string,
  { injectionEnabled, policy: { systemNamespace } }: Snapshot,
): readonly Warning[] {
  const place = { namespace, injectionEnabled, systemNamespace };
  const message = whyWithoutEffect(place);
  return message === undefined ? [] : [{ reason: "BindingWithoutEffect", message }];
}

/** Every fault of what should be the spec of a ModelBinding. */
function validateBindingSpec(spec: unknown, limits: VersionLimits): readonly Cause[] {
  const faults = schemaCauses(modelBindingSpecSchema, spec, "spec");
  if (typeof spec !== "object" || spec === null || Array.isArray(spec)) return faults;
  const { selector, serve, export: exported } = spec as Partial<ModelBindingSpec>;
  const isFit = (part: keyof ModelBindingSpec): boolean =>
    !faults.some(({ field }) => field === `spec.${part}` || field.startsWith(`spec.${part}.`));
  const isObject = typeof exported === "object" && exported !== null;
  return [
    // What is exported has the rules of a version, whose schema is looked at there.
    ...faults.filter(({ field }) => !isObject || !OF_VERSION.test(field)),
    ...(selector !== undefined && isFit("selector")
      ? selectorCauses(selector, "spec.selector")
      : []),
    ...validateDirection(serve ?? undefined, exported ?? undefined),
    ...(serve !== undefined && isFit("serve") ? validateServe(serve, "spec.serve") : []),
    ...(isObject ? validateExportSpec(exported, "spec.export", limits) : []),
  ];
}

/** Fields of an export that a version has, too. */
const OF_VERSION = /^spec\.export\.(?!writers$|clean$)/;

function validateDirection(serve: unknown, exported: unknown): readonly Cause[] {
  const count = [serve, exported].filter((each) => each !== undefined).length;
  if (count === 1) return [];
  const found = count === 0 ? "none" : "both";
  const message = `exactly one of serve and export is allowed, found ${found}`;
  return [{ rule: "OneDirection", field: "spec", message }];
}

function validateServe(
  serve: NonNullable<ModelBindingSpec["serve"]>,
  path: string,
): readonly Cause[] {
  const { modelVersion, model, alias, mountPath, containers = [] } = serve;
  const causes: Cause[] = [];
  const fault = (rule: Rule, field: string, message: string): void => {
    causes.push({ rule, field, message });
  };
  if ((modelVersion === undefined) === (model === undefined)) {
    const found = model === undefined ? "none" : "both";
    const message = `exactly one of modelVersion and model is allowed, found ${found}`;
    fault("ServeOne", path, message);
  }
  if (alias !== undefined && model === undefined) {
    fault("ServeOne", `${path}.alias`, "alias needs model");
  }
  for (const [name, value] of Object.entries({ modelVersion, model })) {
    if (value === undefined || isDnsSubdomain(value)) continue;
    fault("ServeNames", `${path}.${name}`, `${show(value)} ${NOT_OBJECT_NAME}`);
  }
  if (alias !== undefined && !isDnsLabel(alias)) {
    fault("ServeNames", `${path}.alias`, `${show(alias)} ${NOT_LABEL}`);
  }
  if (mountPath !== undefined && cleanMountPath(mountPath) === undefined) {
    fault("MountPath", `${path}.mountPath`, `${show(mountPath)} ${NOT_MOUNT_PATH}`);
  }
  for (const [index, name] of containers.entries()) {
    const field = `${path}.containers[${index}]`;
    if (!isDnsLabel(name)) fault("ServeContainers", field, `${show(name)} ${NOT_LABEL}`);
    if (containers.indexOf(name) < index) {
      fault("ServeContainers", field, `${show(name)} is named twice`);
    }
  }
  return causes;
}

/** Bindings that may take the same pods; at admission of a pod the oldest wins. */
function overlaps(binding: ModelBinding, { bindings }: Snapshot): readonly Warning[] {
  return bindings
    .filter(({ metadata }) => metadata.name !== binding.metadata.name)
    .filter((other) => canSelectSame(binding.spec.selector, other.spec?.selector ?? {}))
    .map(({ metadata }) => ({
      reason: "BindingOverlap",
      message: `spec.selector: can select pods that ModelBinding ${metadata.name} selects, too; of two the older one has them`,
    }));
}
