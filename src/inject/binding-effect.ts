import { LABELS } from "../api/annotations.ts";
import type { ModelBindingSpec } from "../api/modelbinding.ts";
import { isForeignNamespace } from "./untouched.ts";

/** Where a binding is, as far as its effect depends on that. */
export interface BindingPlace {
  readonly namespace: string;
  /** Whether the namespace has the label that puts bindings into effect. */
  readonly injectionEnabled: boolean;
  /** Namespace that modelhook runs in. */
  readonly systemNamespace: string;
}

/** Why a binding gives no pod a model, and what would change that; empty when it is in effect. */
export function whyWithoutEffect(
  spec: Partial<ModelBindingSpec> | undefined,
  { namespace, injectionEnabled, systemNamespace }: BindingPlace,
): readonly string[] {
  return [
    ...(spec?.export === undefined
      ? []
      : [
          "spec.export: is checked and kept, and not acted on yet; use the annotation on the job or its pods",
        ]),
    ...(isForeignNamespace(namespace, systemNamespace)
      ? [`has no effect: modelhook leaves the pods of namespace ${namespace} as they are`]
      : injectionEnabled
        ? []
        : [`has no effect until namespace ${namespace} has the label ${LABELS.injection}=enabled`]),
  ];
}
