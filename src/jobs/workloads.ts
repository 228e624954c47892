import type { KubeObject } from "../api/kube-types.ts";
import { JOB_KINDS, jobKind } from "./kinds.ts";
import { pods, type Workload } from "./places.ts";

const APPS = { group: "apps", version: "v1" } as const;
const REPLICASET = { apiVersion: "apps/v1", kind: "ReplicaSet" } as const;

/** The kinds that are looked at when they are applied. A kind that a cluster does not have costs it nothing. */
export const WORKLOADS: readonly Workload[] = [
  {
    ...APPS,
    kind: "Deployment",
    plural: "deployments",
    places: [pods("spec.template", REPLICASET)],
  },
  { ...APPS, kind: "StatefulSet", plural: "statefulsets", places: [pods("spec.template")] },
  { ...APPS, kind: "DaemonSet", plural: "daemonsets", places: [pods("spec.template")] },
  { ...APPS, kind: "ReplicaSet", plural: "replicasets", places: [pods("spec.template")] },
  {
    group: "batch",
    version: "v1",
    kind: "CronJob",
    plural: "cronjobs",
    places: [{ path: "spec.jobTemplate", makes: "jobs" }],
  },
  ...JOB_KINDS,
];

/** The row of an object, by the type that it carries; `more` are kinds that the administrator added. */
export function workloadOf(
  object: Pick<KubeObject, "apiVersion" | "kind">,
  more: readonly Workload[] = [],
): Workload | undefined {
  return jobKind([...WORKLOADS, ...more], object);
}
