import type { Pod, ResourceRequirements } from "../api/kube-types.ts";
import { compareQuantities } from "../api/quantity.ts";
import { ephemeralLimit } from "./pod-limits.ts";
import { commonLimits, isGuaranteed, largestLimits } from "./quality-of-service.ts";

/** Tenths of the files' bytes that a copy takes. */
const SIZE_MARGIN = 11;
/**
 * What each file may take besides its bytes: a block, and one for a directory that it may have to itself. The kubelet counts
 * those, and a model of a million small files is mostly that.
 */
const BLOCKS = 2 * 4096;
const MIB = 2 ** 20;

/** Bytes of ephemeral storage that the copy of so many bytes and files takes, whole MiB; undefined while the size is not known. */
export function copyBytes(bytes: number | undefined, files: number): number | undefined {
  if (bytes === undefined) return undefined;
  return Math.ceil(Math.max(1, (bytes * SIZE_MARGIN) / 10 + files * BLOCKS) / MIB) * MIB;
}

/** Bytes as a quantity of MiB. */
export function inMebibytes(bytes: number): string {
  return `${Math.ceil(bytes / MIB)}Mi`;
}

/**
 * Resources of a loader after which the pod holds so many bytes of copies: those that are wanted, else such as change neither
 * the pod's quality of service nor what it needs to be scheduled.
 */
export function loaderResources(
  pod: Pod,
  wanted: ResourceRequirements | undefined,
  defaults: ResourceRequirements,
  copies: number | undefined,
): ResourceRequirements {
  return withEphemeralStorage(wanted ?? fittingResources(pod, defaults), copies, pod);
}

function fittingResources(pod: Pod, defaults: ResourceRequirements): ResourceRequirements {
  // Limits of the whole pod bind the loader too, and requests of its own could exceed them.
  if (pod.spec?.resources?.limits !== undefined || pod.spec?.resources?.requests !== undefined) {
    return {};
  }
  // An init container no larger than the largest container costs nothing to schedule.
  return isGuaranteed(pod) ? largestLimits(pod) : withinLimits(defaults, commonLimits(pod));
}

/** A quota on limits refuses a container without one, or a pod for a larger one, though all of the user's comply. */
function withinLimits(
  defaults: ResourceRequirements,
  limits: Readonly<Record<string, string>>,
): ResourceRequirements {
  if (Object.keys(limits).length === 0) return defaults;
  const requests = Object.entries(defaults.requests ?? {}).map(([name, request]) => {
    const limit = limits[name];
    return [name, limit !== undefined && compareQuantities(request, limit) > 0 ? limit : request];
  });
  return {
    requests: Object.fromEntries(requests),
    limits: { ...defaults.limits, ...limits },
  };
}

function withEphemeralStorage(
  resources: ResourceRequirements,
  copies: number | undefined,
  pod: Pod,
): ResourceRequirements {
  const { requests, limits } = resources;
  const isSet = [requests, limits].some((list) => list?.["ephemeral-storage"] !== undefined);
  if (copies === undefined || isSet) return resources;
  const room = { requests: { ...requests, "ephemeral-storage": inMebibytes(copies) } };
  const limit = ephemeralLimit(pod);
  if (limit === undefined) return { ...resources, ...room };
  // The kubelet holds all that the pod uses, the copies included, against the pod's limit, and evicts it.
  const both = inMebibytes(limit + copies);
  return { ...resources, ...room, limits: { ...limits, "ephemeral-storage": both } };
}
