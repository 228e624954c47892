import type { Container, Pod } from "../api/kube-types.ts";
import { parseQuantity } from "../api/quantity.ts";

/**
 * Bytes of ephemeral storage above which the kubelet evicts the pod (Kubernetes: component-helpers, PodLimits): those that run
 * together count together, an init container by itself. Undefined when no container has such a limit.
 */
export function ephemeralLimit(pod: Pod): number | undefined {
  const init = pod.spec?.initContainers ?? [];
  const sidecars = init.filter((container) => isSidecar(container));
  const lasting = limitsOf([...(pod.spec?.containers ?? []), ...sidecars]);
  const passing = limitsOf(init.filter((container) => !isSidecar(container)));
  if (lasting.length + passing.length === 0) return undefined;
  const together = lasting.reduce((sum, limit) => sum + limit, 0);
  const besides = limitsOf(sidecars).reduce((sum, limit) => sum + limit, 0);
  return Math.max(together, ...passing.map((limit) => limit + besides));
}

function isSidecar({ restartPolicy }: Container): boolean {
  return restartPolicy === "Always";
}

function limitsOf(containers: readonly Container[]): readonly number[] {
  return containers
    .map(({ resources }) => parseQuantity(resources?.limits?.["ephemeral-storage"] ?? ""))
    .filter((limit) => limit > 0);
}
