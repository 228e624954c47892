import { LABELS } from "../api/annotations.ts";
import { outcomeOf } from "../jobs/outcome.ts";
import { resources } from "../kube/resources.ts";
import type { Found, UninstallObserved } from "./uninstall-plan.ts";

/**
 * Of the volumes and claims that we made those that can go now: all but claims of jobs that run, since a claim that is going is
 * refused to the pods that a job makes next. Those go with their jobs, which own them. What pods still mount, and volumes of claims
 * that are still there, Kubernetes itself keeps until nobody uses them.
 */
export function removableStorage({
  jobs,
  pods,
  claims,
  volumes,
}: Pick<UninstallObserved, "jobs" | "pods" | "claims" | "volumes">): readonly Found[] {
  const running = new Set(
    jobs
      .filter(({ kind, object }) => outcomeOf(kind, object) === "running")
      .map(({ object }) => object.metadata)
      .flatMap((job) => (job?.deletionTimestamp === undefined ? (job?.uid ?? []) : [])),
  );
  // A pod that is its own job had no UID yet when its claim was named.
  const mounted = new Set(
    pods
      .filter(({ status }) => status?.phase !== "Succeeded" && status?.phase !== "Failed")
      .flatMap(({ metadata, spec }) =>
        (spec?.volumes ?? []).map(
          (volume) => `${metadata?.namespace}/${volume.persistentVolumeClaim?.claimName}`,
        ),
      ),
  );
  const unused = claims.filter(
    ({ metadata }) =>
      !running.has(metadata?.labels?.[LABELS.jobUid] ?? "") &&
      !mounted.has(`${metadata?.namespace}/${metadata?.name}`),
  );
  return [
    ...unused.map((object) => ({ resource: resources.persistentvolumeclaims, object })),
    ...volumes.map((object) => ({ resource: resources.persistentvolumes, object })),
  ].filter(({ object }) => object.metadata?.deletionTimestamp === undefined);
}
