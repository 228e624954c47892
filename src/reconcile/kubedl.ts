import { parseImageRef, repositoryOf } from "../api/image-ref.ts";
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
  /** UIDs of Deployments, among those that `runningManagers` names, whose ServiceAccount may update ModelVersions of all namespaces; one will do. */
  readonly mayWrite: readonly string[];
}

/** Who the pods of a Deployment are to the API server. */
export interface Identity {
  readonly user: string;
  readonly groups: readonly string[];
}

/** Names that KubeDL's manifest and chart give the container of the manager. */
const CONTAINERS: ReadonlySet<string> = new Set(["kubedl-manager", "kubedl"]);

/** Most characters of an image that are repeated in a log or an Event. */
const MAX_IMAGE = 100;

/**
 * How long a KubeDL without a ready replica counts as one that is about to run: a rollout, a lost node, a first start. Longer than
 * the kubelet's longest pause between restarts (5 minutes), so that one which crashes again and again does not come and go.
 */
const COMING_BACK_MS = 600_000;

/**
 * The Deployment of a KubeDL that would write the ModelVersions that we write; undefined when there is none. Its labels, its names
 * and that it is ready are what any tenant can make of a Deployment of his own, and what he can not is that its pods may write
 * ModelVersions in the whole cluster: so the API server is asked that. What KubeDL's release left on the definitions is never
 * asked: its chart leaves the definitions behind when it is uninstalled, `kubectl apply` of ours keeps its annotations and managed
 * fields, and a KubeDL that runs does so whoever's definitions are there.
 *
 * | labelled as KubeDL's | runs its manager | replicas | may write | KubeDL is |
 * | --- | --- | --- | --- | --- |
 * | no | | | | absent |
 * | yes | no: its dashboard, or somebody else's | any | not asked | absent |
 * | yes | yes | one is ready or available, wanted or not | yes | live |
 * | yes | yes | none is ready, some are wanted, for less than 10 minutes | yes | live, about to run |
 * | yes | yes | one of these two | no | absent: forged, or no rival of ours |
 * | yes | yes | none is ready, some are wanted, for longer | not asked | absent: it can not run |
 * | yes | yes | none is ready, none is wanted, or it is being deleted | not asked | absent: it was stopped |
 */
export function findKubeDl(observed: KubeDlObserved): Deployment | undefined {
  return runningManagers(observed).find(({ metadata }) =>
    observed.mayWrite.includes(metadata?.uid ?? ""),
  );
}

/** The Deployments that run, or are about to run, what looks like KubeDL's manager. */
export function runningManagers({
  deployments,
  now,
}: Pick<KubeDlObserved, "deployments" | "now">): readonly Deployment[] {
  return deployments.filter((each) => isManager(each) && mayRun(each, now));
}

/** Who its pods are; the groups are those that the API server gives every ServiceAccount. */
export function identityOf({ metadata, spec }: Deployment): Identity {
  const { namespace = "" } = metadata ?? {};
  const account = spec?.template.spec?.serviceAccountName ?? "default";
  return {
    user: `system:serviceaccount:${namespace}:${account}`,
    groups: [
      "system:serviceaccounts",
      `system:serviceaccounts:${namespace}`,
      "system:authenticated",
    ],
  };
}

/** The image of the manager, shown to people: undefined when it is none, and never longer than fits into a sentence. */
export function managerImage(deployment: Deployment): string | undefined {
  const image = managerOf(deployment)?.image ?? "";
  if (parseImageRef(image) === undefined) return undefined;
  return image.length > MAX_IMAGE ? `${image.slice(0, MAX_IMAGE)}…` : image;
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
