import type { CustomResourceDefinition, Deployment } from "../../src/api/kube-types.ts";
import type { KubeDlObserved } from "../../src/reconcile/kubedl.ts";
import { NOW } from "./attempt.ts";
import { frozen, type Tweak } from "./frozen.ts";

/** KubeDL's Deployment as its manifest makes it, with one ready replica. */
export function makeKubeDl(tweak: Tweak<Deployment> = () => {}): Deployment {
  const labels = { app: "kubedl" };
  return frozen<Deployment>(
    {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "kubedl", namespace: "kubedl-system", uid: "kubedl", labels },
      spec: {
        replicas: 1,
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            serviceAccountName: "kubedl-manager",
            containers: [{ name: "kubedl-manager", image: "docker.io/kubedl/kubedl:0.4.2" }],
          },
        },
      },
      status: { readyReplicas: 1, availableReplicas: 1 },
    },
    tweak,
  );
}

/** The definition of ModelVersion as modelhook's manifest makes it. */
export function makeDefinition(
  tweak: Tweak<CustomResourceDefinition> = () => {},
): CustomResourceDefinition {
  const names = { kind: "ModelVersion", plural: "modelversions" };
  return frozen<CustomResourceDefinition>(
    {
      apiVersion: "apiextensions.k8s.io/v1",
      kind: "CustomResourceDefinition",
      metadata: { name: "modelversions.model.kubedl.io", uid: "definition" },
      spec: {
        group: "model.kubedl.io",
        names,
        scope: "Namespaced",
        versions: [{ name: "v1alpha1", served: true, storage: true, subresources: { status: {} } }],
      },
    },
    tweak,
  );
}

/** The same with all that KubeDL's release leaves on it: annotation, labels of the chart, field managers; and no status. */
export function makeDefinitionOfKubeDl(): CustomResourceDefinition {
  return makeDefinition((definition) => {
    definition.metadata = {
      ...definition.metadata,
      annotations: { "controller-gen.kubebuilder.io/version": "v0.4.1" },
      labels: { "helm.sh/chart": "kubedl-0.1.0", "app.kubernetes.io/name": "kubedl" },
      managedFields: [{ manager: "kubedl", operation: "Update", apiVersion: "v1" }],
    };
    definition.spec.versions = [
      { name: "v1alpha1", served: true, storage: true, subresources: {} },
    ];
  });
}

/** A cluster with modelhook's definitions and these Deployments, which may write ModelVersions unless others are said to. */
export function makeKubeDlObserved(
  deployments: readonly Deployment[] = [],
  definitions: readonly CustomResourceDefinition[] = [makeDefinition()],
  mayWrite: readonly string[] = deployments.map(({ metadata }) => metadata?.uid ?? ""),
): KubeDlObserved {
  return { now: NOW, deployments, definitions, mayWrite };
}
