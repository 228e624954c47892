import type { Deployment, KubeObject } from "../api/kube-types.ts";
import { selectorText } from "../api/label-selector.ts";
import { listAt, textAt } from "../jobs/field.ts";
import type { ApiServer } from "../kube/client.ts";
import { listAll } from "../kube/list.ts";
import { resources } from "../kube/resources.ts";
import { find } from "../kube/write.ts";
import type { Found, Installation } from "./uninstall-plan.ts";

/** Name of the Deployment, and of both webhook configurations. */
const NAME = "modelhook";

/** Reads what runs of our Deployment; pods that it has left behind, too. Throws ApiError where that may not be read. */
export async function observeInstallation(
  api: ApiServer,
  namespace: string,
): Promise<Installation> {
  const ref = { namespace, name: NAME };
  const deployment = await find<Deployment>(api, resources.deployments, ref);
  const matchLabels = deployment?.spec?.selector.matchLabels ?? { "app.kubernetes.io/name": NAME };
  const { items } = await listAll<KubeObject>(api, resources.pods, {
    namespace,
    labelSelector: selectorText({ matchLabels }),
    // Evicted pods stay as long as their Deployment.
    fieldSelector: "status.phase!=Succeeded,status.phase!=Failed",
    metadataOnly: true,
  });
  return {
    namespace,
    replicas: deployment === undefined ? 0 : (deployment.spec?.replicas ?? 1),
    pods: items.map(({ metadata }) => metadata?.name ?? ""),
  };
}

/** Reads both webhook configurations, as far as they exist. Throws ApiError where that may not be done. */
export async function observeConfigurations(api: ApiServer): Promise<readonly Found[]> {
  const found: Found[] = [];
  for (const resource of [
    resources.mutatingwebhookconfigurations,
    resources.validatingwebhookconfigurations,
  ]) {
    const object = await find(api, resource, { name: NAME });
    if (object !== undefined) found.push({ resource, object });
  }
  return found;
}

/** The namespace of the Service that the webhooks call; undefined where they call none. */
export function servedNamespace(configurations: readonly Found[]): string | undefined {
  return configurations
    .flatMap(({ object }) => listAt(object, "webhooks"))
    .map((webhook) => textAt(webhook, "clientConfig.service.namespace"))
    .find((namespace) => namespace !== undefined);
}
