import type { Container, Pod, ResourceRequirements } from "../api/kube-types.ts";
import { compareQuantities } from "../api/quantity.ts";

const COUNTED = ["cpu", "memory"] as const;

/** True when every container sets limits of CPU and memory and requests no less (Kubernetes: Pod Quality of Service Classes). */
export function isGuaranteed(pod: Pod): boolean {
  const containers = allContainers(pod);
  return containers.length > 0 && containers.every(isGuaranteedContainer);
}

/** The largest CPU and memory limits of any one container, as requests and limits. */
export function largestLimits(pod: Pod): ResourceRequirements {
  const largest: Record<string, string> = {};
  for (const { resources } of allContainers(pod)) {
    for (const name of COUNTED) {
      const limit = resources?.limits?.[name];
      const before = largest[name];
      if (limit === undefined) continue;
      if (before === undefined || compareQuantities(limit, before) > 0) largest[name] = limit;
    }
  }
  return { requests: { ...largest }, limits: largest };
}

/** The largest CPU and memory limits, of those that every container sets. */
export function commonLimits(pod: Pod): Readonly<Record<string, string>> {
  const common = Object.entries(largestLimits(pod).limits ?? {}).filter(([name]) =>
    allContainers(pod).every(({ resources }) => resources?.limits?.[name] !== undefined),
  );
  return Object.fromEntries(common);
}

function allContainers(pod: Pod): readonly Container[] {
  return [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])];
}

function isGuaranteedContainer({ resources }: Container): boolean {
  return COUNTED.every((name) => {
    const limit = resources?.limits?.[name];
    if (limit === undefined) return false;
    // The API server defaults absent requests to the limits.
    const request = resources?.requests?.[name] ?? limit;
    // Kubernetes takes a limit of zero for none.
    return compareQuantities(limit, "0") > 0 && compareQuantities(limit, request) === 0;
  });
}
