import type { CustomResourceDefinition, Deployment } from "../api/kube-types.ts";
import { listAll } from "../kube/list.ts";
import { resources } from "../kube/resources.ts";
import type { KubeDlObserved } from "../reconcile/kubedl.ts";
import { find, type Sources } from "./exporting.ts";

/** Labels of KubeDL's manifest, and of its chart; no selector is an alternative of two. */
const SELECTORS = ["app=kubedl", "app.kubernetes.io/name=kubedl"];

const DEFINITIONS = ["models.model.kubedl.io", "modelversions.model.kubedl.io"];

/** Reads what there is of KubeDL in the cluster: on a timer, since nothing else needs a watch of Deployments. */
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
        find<CustomResourceDefinition>(api, resources.customresourcedefinitions, { name }, signal),
      ),
    ),
  ]);
  return {
    now: now(),
    deployments: listings.flatMap(({ items }) => items),
    definitions: definitions.filter((each) => each !== undefined),
  };
}
