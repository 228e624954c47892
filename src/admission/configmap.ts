import { own } from "../api/fields.ts";
import type { ConfigMap, KubeObject } from "../api/kube-types.ts";
import { allow, deny, type Decision } from "./decision.ts";
import { parseLimits } from "./limits.ts";

/** Key of the ConfigMap that holds the administrator's limits. */
export const LIMITS_KEY = "config.yaml";

/** Refuses invalid limits when they are applied: in the file they would be refused too late for anybody to see. */
export function decideConfigMap(object: KubeObject): Decision {
  const { data = {} } = object as ConfigMap;
  const path = `data[${LIMITS_KEY}]`;
  const text = own(data, LIMITS_KEY);
  if (text === undefined) {
    return deny("InvalidConfiguration", [{ field: path, message: "is required" }]);
  }
  const parsed = parseLimits(text);
  if (parsed.ok) {
    const warnings = parsed.ignored.map(({ field, message }) => ({
      reason: "UnknownSetting" as const,
      message: `${path}.${field}: ${message}; it has no effect`,
    }));
    return allow("Valid", warnings);
  }
  const causes = parsed.faults.map(({ field, message }) => ({
    field: field === "" ? path : `${path}.${field}`,
    message,
  }));
  return deny("InvalidConfiguration", causes);
}
