import { FINALIZERS } from "../api/annotations.ts";
import { hasFinalizer } from "../api/finalizer.ts";
import type { KubeObject, OwnerReference } from "../api/kube-types.ts";
import type { JobKind } from "./job-kind.ts";
import { jobKind } from "./kinds.ts";

/** Label of the revision of a StatefulSet's or DaemonSet's template that a pod is made from. */
export const REVISION = "controller-revision-hash";

/** The owner that controls an object; undefined when none does. */
export function controllerOf(object: KubeObject): OwnerReference | undefined {
  return object.metadata?.ownerReferences?.find((owner) => owner.controller === true);
}

/** One text for all pods that a controller makes from one template: `namespace/uid/revision`; undefined for a pod without a controller. */
export function templateKey(namespace: string, pod: KubeObject): string | undefined {
  const uid = controllerOf(pod)?.uid;
  if (uid === undefined) return undefined;
  return `${namespace}/${uid}/${pod.metadata?.labels?.[REVISION] ?? ""}`;
}

/** The job that a pod belongs to: its object, and the row of its kind. */
export interface OwningJob {
  readonly job: KubeObject;
  readonly kind: JobKind;
}

/**
 * The job that decides, of the objects above a pod, the nearest first: the topmost of a known kind, unless a nearer one carries our
 * finalizer already, as an earlier release gave it to the Jobs of a JobSet. Undefined where none is known.
 */
export function topmostJob(
  owners: readonly KubeObject[],
  kinds: readonly JobKind[],
): OwningJob | undefined {
  const known = owners.flatMap((job): readonly OwningJob[] => {
    const kind = jobKind(kinds, job);
    return kind === undefined ? [] : [{ job, kind }];
  });
  return known.find(({ job }) => hasFinalizer(job, FINALIZERS.export)) ?? known.at(-1);
}
