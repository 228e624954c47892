import { LABELS } from "../api/annotations.ts";
import { isForeignNamespace } from "./untouched.ts";

/** Where a binding is, as far as its effect depends on that. */
export interface BindingPlace {
  readonly namespace: string;
  /** Whether the namespace has the label that puts bindings into effect. */
  readonly injectionEnabled: boolean;
  /** Namespace that modelhook runs in. */
  readonly systemNamespace: string;
}

/** Why a binding gives no pod anything, and what would change that; undefined when it is in effect. */
export function whyWithoutEffect({
  namespace,
  injectionEnabled,
  systemNamespace,
}: BindingPlace): string | undefined {
  if (isForeignNamespace(namespace, systemNamespace)) {
    return `has no effect: modelhook leaves the pods of namespace ${namespace} as they are`;
  }
  return injectionEnabled
    ? undefined
    : `has no effect until namespace ${namespace} has the label ${LABELS.injection}=enabled`;
}
