import type { JobKind } from "../jobs/job-kind.ts";
import type { ServedResource } from "../kube/discovery.ts";
import { resources, type Resource } from "../kube/resources.ts";

/** A kind of which exporting jobs are looked for. */
export interface SearchedKind {
  readonly resource: Resource;
  /** How an object shows that it has ended. */
  readonly kind: Pick<JobKind, "outcome">;
  /** Of the table, if in another version: who may not list it does not know what is left. */
  readonly isExpected: boolean;
}

/** Nothing tells how an object of a kind that is in no table has ended, so it counts as one that runs. */
const UNKNOWN: SearchedKind["kind"] = { outcome: { succeeded: [], failed: [] } };

/**
 * Groups whose objects are no jobs: those of Kubernetes itself but `batch`, which hold most of what is in a cluster and no kind that
 * anybody could add to the table, and ours. By name, since others have groups such as `sparkoperator.k8s.io`; one that is missing
 * here costs some requests. The core group is discovered elsewhere, and of its kinds only pods export, which are read for themselves.
 */
const WITHOUT_JOBS: ReadonlySet<string> = new Set([
  "admissionregistration.k8s.io",
  "apiextensions.k8s.io",
  "apiregistration.k8s.io",
  "apps",
  "authentication.k8s.io",
  "authorization.k8s.io",
  "autoscaling",
  "certificates.k8s.io",
  "coordination.k8s.io",
  "discovery.k8s.io",
  "events.k8s.io",
  "flowcontrol.apiserver.k8s.io",
  "internal.apiserver.k8s.io",
  "networking.k8s.io",
  "node.k8s.io",
  "policy",
  "rbac.authorization.k8s.io",
  "resource.k8s.io",
  "scheduling.k8s.io",
  "storage.k8s.io",
  "storagemigration.k8s.io",
  resources.modelversions.group,
]);

/** Kinds of the table, and all others that the API server serves and whose objects could be held: the table may have had more rows, or other versions. */
export function searchedKinds(
  table: readonly JobKind[],
  served: readonly ServedResource[],
): readonly SearchedKind[] {
  const others = served.filter(
    ({ group, plural, namespaced, verbs, versions }) =>
      namespaced &&
      verbs.includes("list") &&
      verbs.includes("patch") &&
      !WITHOUT_JOBS.has(group) &&
      !table.some((kind) => isOf(kind, { group, plural }) && versions.includes(kind.version)),
  );
  return [
    ...table.map((kind) => ({ resource: { ...kind, namespaced: true }, kind, isExpected: true })),
    ...others.map(({ group, version, plural, kind }) => ({
      resource: { group, version, plural, kind, namespaced: true },
      kind: UNKNOWN,
      isExpected: table.some((row) => isOf(row, { group, plural })),
    })),
  ];
}

function isOf(kind: JobKind, { group, plural }: Pick<Resource, "group" | "plural">): boolean {
  return kind.group === group && kind.plural === plural;
}
