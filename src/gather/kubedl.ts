import type { CustomResourceDefinition, Deployment, KubeObject } from "../api/kube-types.ts";
import type { ApiServer } from "../kube/client.ts";
import { listAll } from "../kube/list.ts";
import { resources } from "../kube/resources.ts";
import { create, find } from "../kube/write.ts";
import { identityOf, runningManagers, type KubeDlObserved } from "../reconcile/kubedl.ts";
import type { Sources } from "./exporting.ts";

/** Labels of KubeDL's manifest, and of its chart; no selector is an alternative of two. */
const SELECTORS = ["app=kubedl", "app.kubernetes.io/name=kubedl"];

const DEFINITIONS = ["models.model.kubedl.io", "modelversions.model.kubedl.io"];

/** Whoever may do this to all ModelVersions writes those that we write. */
const WRITE = { verb: "update", group: "model.kubedl.io", resource: "modelversions" };

/** Reviews that are under way at once: anybody can make Deployments about which there is one to ask. */
const REVIEWS_AT_ONCE = 8;

/** A SubjectAccessReview of authorization.k8s.io/v1, the fields that are used. */
interface AccessReview extends KubeObject {
  readonly spec: object;
  readonly status?: { readonly allowed?: boolean };
}

/**
 * Reads what there is of KubeDL in the cluster: on a timer, since nothing else needs a watch of Deployments. Throws when the API
 * server can not be asked who may write: what it would have said is not guessed.
 */
export async function observeKubeDl(
  { api, now }: Pick<Sources, "api" | "now">,
  signal: AbortSignal,
): Promise<KubeDlObserved> {
  const [listings, definitions] = await Promise.all([
    Promise.all(
      SELECTORS.map(async (labelSelector) =>
        listAll<Deployment>(api, resources.deployments, { labelSelector, signal }),
      ),
    ),
    Promise.all(
      DEFINITIONS.map(async (name) =>
        find<CustomResourceDefinition>(
          api,
          resources.customresourcedefinitions,
          { name },
          { signal },
        ),
      ),
    ),
  ]);
  const seen = { now: now(), deployments: listings.flatMap(({ items }) => items) };
  return {
    ...seen,
    definitions: definitions.filter((each) => each !== undefined),
    mayWrite: await writersAmong(api, runningManagers(seen), signal),
  };
}

/** UIDs of Deployments that run as somebody who may write; no more is asked when there is one. */
async function writersAmong(
  api: ApiServer,
  deployments: readonly Deployment[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  const byUser = [...Map.groupBy(deployments, (each) => identityOf(each).user).values()];
  for (let start = 0; start < byUser.length; start += REVIEWS_AT_ONCE) {
    const asked = byUser.slice(start, start + REVIEWS_AT_ONCE);
    const found = await Promise.all(
      asked.map(async (each) => ((await mayWrite(api, each, signal)) ? each : [])),
    );
    const uids = found.flat().flatMap(({ metadata }) => metadata?.uid ?? []);
    if (uids.length > 0) return uids;
  }
  return [];
}

/** Whether those who run these Deployments, all the same, may write; without a namespace the question is about all of them. */
async function mayWrite(
  api: ApiServer,
  [deployment]: readonly Deployment[],
  signal: AbortSignal,
): Promise<boolean> {
  if (deployment === undefined) return false;
  const spec = { ...identityOf(deployment), resourceAttributes: WRITE };
  const review = await create<AccessReview>(
    api,
    resources.subjectaccessreviews,
    { spec },
    { signal },
  );
  return review.status?.allowed === true;
}
