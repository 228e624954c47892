import { listed } from "../api/listed.ts";
import type { ModelVersion } from "../api/modelversion.ts";
import type { AdmissionRequest } from "../api/review.ts";
import { isAlive, runsDigest, servedModels } from "../inject/serving-status.ts";
import type { Pod } from "../api/kube-types.ts";
import { allow, deny, type Decision } from "./decision.ts";
import type { Snapshot } from "./snapshot.ts";

/**
 * Users who delete what must go: a namespace's objects, and those whose owner has gone. The last is what both are called where
 * the controller manager's controllers have no accounts of their own.
 */
export const CLEANERS: readonly string[] = [
  "system:serviceaccount:kube-system:namespace-controller",
  "system:serviceaccount:kube-system:generic-garbage-collector",
  "system:kube-controller-manager",
];

/**
 * Decides on a version that is to be deleted: denied while running pods use it. A pod that waits does not count: whoever mends a
 * version deletes it and makes it anew, and the pod goes on waiting for that. What can not be seen forbids nothing.
 */
export function decideVersionDeletion(request: AdmissionRequest, snapshot: Snapshot): Decision {
  const version = (request.oldObject ?? undefined) as ModelVersion | undefined;
  if (version === undefined || version.metadata.deletionTimestamp !== undefined) {
    return allow("Valid");
  }
  if (CLEANERS.includes(request.userInfo.username ?? "")) return allow("Valid");
  const { name = "" } = version.metadata;
  const { use } = snapshot;
  if (use === undefined) {
    const message = `modelhook could not see in time whether pods use ModelVersion ${name}; it is deleted all the same`;
    return allow("Valid", [{ reason: "UseUnknown", message }]);
  }
  if (use.namespaceEnds) return allow("Valid");
  const users = use.pods.filter((pod) => usesVersion(pod, version));
  if (users.length === 0) return allow("Valid");
  const names = users.map(({ metadata }) => metadata?.name ?? "").toSorted();
  const [count, them] =
    names.length === 1 ? ["1 pod uses", "it"] : [`${names.length} pods use`, "them"];
  const message = `${count} ${JSON.stringify(name)}: ${listed(names)}; delete ${them} first, or let ${them} use another version`;
  return deny("VersionInUse", [{ field: "metadata.name", message, rule: "VersionInUse" }]);
}

/**
 * By the images of the pod's loaders and volumes, which says more than an annotation that anybody can write. A version that was deleted and made
 * anew under the same name has another image than the pod has.
 */
function usesVersion(pod: Pod, { metadata, status }: ModelVersion): boolean {
  const digest = status?.digest;
  if (digest === undefined || !isAlive(pod)) return false;
  const isNamed = servedModels(pod).some(({ modelVersion }) => modelVersion === metadata.name);
  return isNamed && runsDigest(pod, digest);
}
