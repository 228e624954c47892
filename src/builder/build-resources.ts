import { own } from "../api/fields.ts";
import type { ResourceRequirements } from "../api/kube-types.ts";
import { compareQuantities, parseQuantity } from "../api/quantity.ts";
import type { BuildRequest, BuildSettings } from "./builder.ts";

type Quantities = Readonly<Record<string, string>>;

/** What our own two containers need, and kaniko with `--compressed-caching=false`: neither grows with the model. */
const DEFAULT_REQUESTS: Quantities = { cpu: "250m", memory: "256Mi" };

/**
 * Resources that may have a limit above their request. A limit on any other, such as a GPU, is a request for as much, so a
 * ceiling never becomes one.
 */
const WITH_DEFAULT_LIMIT = ["cpu", "memory", "ephemeral-storage"] as const;

/**
 * The resources of each container of a build pod: only one runs at a time, and a quota may want limits on all of them. Nothing
 * is above the administrator's ceiling, whatever the version says: it may be older than the ceiling. `needs` are requests of one
 * container where the version says nothing of them.
 */
export function buildResources(
  { version, settings }: BuildRequest,
  needs: Quantities = {},
): ResourceRequirements {
  const { requests: askedRequests, limits: askedLimits } = version.spec.builder?.resources ?? {};
  const ceiling: Quantities = settings.maxResources;
  const defaults = WITH_DEFAULT_LIMIT.flatMap((name) => {
    const most = own(ceiling, name);
    return most === undefined ? [] : [[name, most] as const];
  });
  const limits = lowered({ ...Object.fromEntries(defaults), ...askedLimits }, ceiling);
  const requests = {
    // Kubernetes takes a limit for the request where there is none, and would set the whole ceiling aside.
    ...Object.fromEntries(defaults.map(([name]) => [name, "0"])),
    ...DEFAULT_REQUESTS,
    ...needs,
    // A limit that the version names without a request is one, as in Kubernetes.
    ...askedLimits,
    ...askedRequests,
  };
  return {
    // A request above the ceiling or the limit would be refused.
    requests: lowered(lowered(requests, ceiling), limits),
    ...(Object.keys(limits).length === 0 ? {} : { limits }),
  };
}

/**
 * What kaniko needs besides: it unpacks the base image and writes a layer with the whole model into its container. How large that
 * is nobody knows before the pod has a node.
 */
export function kanikoNeeds({ ephemeralStorage }: BuildSettings): Quantities {
  return parseQuantity(ephemeralStorage) === 0 ? {} : { "ephemeral-storage": ephemeralStorage };
}

/** The quantities, none of them above that of the same name in `most`. */
function lowered(quantities: Quantities, most: Quantities): Record<string, string> {
  const entries = Object.entries(quantities).map(([name, quantity]) => {
    const top = own(most, name);
    const isAbove = top !== undefined && compareQuantities(quantity, top) > 0;
    return [name, isAbove ? top : quantity] as const;
  });
  return Object.fromEntries(entries);
}
