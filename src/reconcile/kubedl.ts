import { repositoryOf } from "../api/image-ref.ts";
import type { CustomResourceDefinition, Deployment } from "../api/kube-types.ts";
import { parseTime } from "../api/time.ts";

/** What there is of KubeDL in the cluster. */
export interface KubeDlObserved {
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Deployments, of any namespace, with a label of KubeDL's manifest or chart. */
  readonly deployments: readonly Deployment[];
  /** The definitions of Model and ModelVersion, those that exist. */
  readonly definitions: readonly CustomResourceDefinition[];
}

/** Names that KubeDL's manifest and chart give the container of the manager. */
const CONTAINERS: ReadonlySet<string> = new Set(["kubedl-manager", "kubedl"]);

/**
 * How long a KubeDL without a ready replica counts as one that is about to run: a rollout, a lost node, a first start. Longer than
 * the kubelet's longest pause between restarts (5 minutes), so that one which crashes again and again does not come and go.
 */
const COMING_BACK_MS = 600_000;

/**
 * The Deployment of a KubeDL that would write the ModelVersions that we write; undefined when there is none. What its release left
 * on the definitions is never asked: its chart leaves the definitions behind when it is uninstalled, `kubectl apply` of ours keeps
 * its annotations and managed fields, and a KubeDL that runs does so whoever's definitions are there.
 *
 * | labelled as KubeDL's | runs its manager | replicas | marks on the definitions | KubeDL is |
 * | --- | --- | --- | --- | --- |
 * | no | | | none or any | absent |
 * | yes | no: its dashboard, or somebody else's | any | none or any | absent |
 * | yes | yes | one is ready or available, wanted or not | none or any | live |
 * | yes | yes | none is ready, some are wanted, for less than 10 minutes | none or any | live, about to run |
 * | yes | yes | none is ready, some are wanted, for longer | none or any | absent: it can not run |
 * | yes | yes | none is ready, none is wanted, or it is being deleted | none or any | absent: it was stopped |
 */
export function findKubeDl({ deployments, now }: KubeDlObserved): Deployment | undefined {
  return deployments.find((each) => isManager(each) && mayRun(each, now));
}

/** The image of the manager; shown to people. */
export function managerImage(deployment: Deployment): string | undefined {
  return managerOf(deployment)?.image;
}

/** Names of the definitions under which no status can be written apart from the spec: KubeDL's own, never ours. */
export function definitionsWithoutStatus({ definitions }: KubeDlObserved): readonly string[] {
  return definitions
    .filter(({ spec }) =>
      spec.versions.some((version) => version.served && version.subresources?.status === undefined),
    )
    .map(({ metadata }) => metadata?.name ?? "");
}

function isManager(deployment: Deployment): boolean {
  return managerOf(deployment) !== undefined;
}

/** By the name of its container, or by its image, of which a mirror keeps the last part. */
function managerOf({ spec }: Deployment) {
  return (spec?.template.spec?.containers ?? []).find(
    ({ name, image }) =>
      CONTAINERS.has(name) ||
      repositoryOf(image ?? "")
        .split("/")
        .at(-1) === "kubedl",
  );
}

function mayRun({ metadata, spec, status }: Deployment, now: number): boolean {
  const { readyReplicas = 0, availableReplicas = 0, conditions = [] } = status ?? {};
  if (readyReplicas > 0 || availableReplicas > 0) return true;
  if (spec?.replicas === 0 || metadata?.deletionTimestamp !== undefined) return false;
  const available = conditions.find(({ type }) => type === "Available");
  const since = parseTime(available?.lastTransitionTime ?? metadata?.creationTimestamp ?? "");
  return now - since < COMING_BACK_MS;
}
