import { LIMITS_KEY } from "../admission/configmap.ts";
import { limitsFrom, parseLimits } from "../admission/limits.ts";
import type { Policy } from "../admission/policy.ts";
import type { ConfigMap, KubeObject } from "../api/kube-types.ts";
import { SYSTEM_NAMESPACE } from "./built-in-limits.ts";
import { faultText } from "./file-fault.ts";
import { parseYamlFile } from "./yaml-file.ts";

/** Name of the ConfigMap of limits there. */
export const LIMITS_NAME = "modelhook";

/** Limits that could be read, or every fault as a line. */
export type ReadLimits =
  | { readonly ok: true; readonly policy: Policy; readonly warnings: readonly string[] }
  | { readonly ok: false; readonly faults: readonly string[] };

/** Reads limits from the text of config.yaml, or of a manifest with the ConfigMap that holds it. */
export function readLimits(text: string, file: string): ReadLimits {
  const { data, namespace } = findConfigMap(text, file) ?? { data: text, namespace: undefined };
  const parsed = parseLimits(data);
  const linesOf = (faults: readonly { readonly field: string; readonly message: string }[]) =>
    faults.map(({ field, message }) =>
      faultText({ file, message: field === "" ? message : `${field}: ${message}` }),
    );
  if (!parsed.ok) return { ok: false, faults: linesOf(parsed.faults) };
  const systemNamespace = namespace ?? SYSTEM_NAMESPACE;
  const controllerUser = `system:serviceaccount:${systemNamespace}:modelhook`;
  const identity = { systemNamespace, controllerUser, modelhookImage: "" };
  const { policy } = limitsFrom(parsed.file, identity);
  return { ok: true, policy, warnings: linesOf(parsed.ignored) };
}

function findConfigMap(
  text: string,
  file: string,
): { readonly data: string; readonly namespace: string | undefined } | undefined {
  const parsed = parseYamlFile(text, file);
  if (!parsed.ok) return undefined;
  const objects = parsed.documents.flatMap(({ objects: found }) => found);
  for (const { object } of objects) {
    const data = limitsIn(object);
    if (data !== undefined) return { data, namespace: object.metadata?.namespace };
  }
  return undefined;
}

/** The text of the limits in a ConfigMap; undefined for any other object. */
export function limitsIn(object: KubeObject): string | undefined {
  if (object.kind !== "ConfigMap") return undefined;
  const { data }: ConfigMap = object;
  const text: unknown = data?.[LIMITS_KEY];
  return typeof text === "string" ? text : undefined;
}
