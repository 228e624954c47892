import { expect, vi } from "vitest";
import type { ControlPlane } from "../../deploy/local/control-plane.ts";
import { ANNOTATIONS, GATES, LABELS } from "../../src/api/annotations.ts";
import type { Job, KubeObject, Pod } from "../../src/api/kube-types.ts";
import type { Model } from "../../src/api/model.ts";
import type { ModelVersion } from "../../src/api/modelversion.ts";
import { exportedVersionNames } from "../../src/api/names.ts";
import { connect, type ApiServer } from "../../src/kube/client.ts";
import { isAlreadyExists } from "../../src/kube/errors.ts";
import { startInformer } from "../../src/kube/informer.ts";
import { listAll } from "../../src/kube/list.ts";
import { resources, type Resource } from "../../src/kube/resources.ts";
import { createStore } from "../../src/kube/store.ts";
import { create, get } from "../../src/kube/write.ts";
import { createLogger } from "../../src/telemetry/logger.ts";
import { eventually } from "./kubelet.ts";
import { runKubelet, type Moment, type Registry } from "./node.ts";

/** Node that has the data of every way. */
export const NODE = "node-1";

const silent = createLogger({ level: "silent" });

/** How long a way may take, a lost lease and a restarted API server included. */
const PATIENCE_MS = 90_000;

/**
 * Takes one model the whole way, in a namespace of its own: a job that exports, the build of its image, a pod that waits to
 * serve it. What a user or a kubelet does is done again until it succeeds, so that only modelhook's own faults are seen.
 * Resolves at the end, when nothing was lost, doubled or left behind, with how often modelhook said the thing that it said
 * most often; rejects with what differs.
 */
export async function goWholeWay(
  plane: ControlPlane,
  namespace: string,
  happens: (moment: Moment) => Promise<void> = async () => {},
): Promise<number> {
  const api = await connect({ kubeconfigPath: plane.kubeconfig });
  const stopping = new AbortController();
  const { signal } = stopping;
  try {
    await makeNamespace(api, namespace);
    const digests = recordDigests(api, namespace, signal);
    const job = await createOnce<Job>(api, resources.jobs, trainingJob(namespace));
    const [name = ""] = exportedVersionNames("digits", job.metadata?.uid ?? "");
    const pod = await createOnce<Pod>(api, resources.pods, servingPod(namespace, name));
    expect(pod.spec?.schedulingGates).toEqual([{ name: GATES.build }]);
    const registry: Registry = new Map();
    const kubelet = runKubelet({ plane, api, namespace, registry, happens, signal });
    const arrive = async (): Promise<void> => {
      expect(await observe(api, namespace)).toEqual(expected(namespace, name, registry));
      expect([...digests]).toEqual([...registry.values()].map(({ digest }) => digest));
      expect(registry.size).toBe(1);
    };
    await Promise.race([vi.waitFor(arrive, { timeout: PATIENCE_MS, interval: 200 }), kubelet]);
    stopping.abort(new Error("the way is at its end"));
    await kubelet;
    return await countRepeats(api, namespace);
  } finally {
    stopping.abort(new Error("the way has ended"));
    await api.close();
  }
}

/** Every digest that any version of the namespace ever had. */
function recordDigests(
  api: ApiServer,
  namespace: string,
  signal: AbortSignal,
): ReadonlySet<string> {
  const digests = new Set<string>();
  startInformer<ModelVersion>(api, resources.modelversions, {
    namespace,
    store: createStore(),
    onChange({ object: { status } }) {
      if (status?.digest !== undefined) digests.add(status.digest);
    },
    log: silent,
    signal,
  });
  return digests;
}

/** What can be seen of a way, as far as it has an end. */
async function observe(api: ApiServer, namespace: string): Promise<object> {
  const all = async <T extends KubeObject>(resource: Resource): Promise<readonly T[]> =>
    (await listAll<T>(api, resource, resource.namespaced ? { namespace } : {})).items;
  const [job, serving, versions, models] = [
    await get<Job>(api, resources.jobs, { namespace, name: "train" }),
    await get<Pod>(api, resources.pods, { namespace, name: "serve" }),
    await all<ModelVersion>(resources.modelversions),
    await all<Model>(resources.models),
  ];
  // What asks the registry goes a minute after it has asked.
  const jobs = (await all(resources.jobs)).filter(
    ({ metadata }) => metadata?.labels?.[LABELS.preflight] === undefined,
  );
  const claims = await all(resources.persistentvolumeclaims);
  const maps = await all(resources.configmaps);
  const volumes = (
    await all<KubeObject & { spec: { claimRef?: { namespace?: string } } }>(
      resources.persistentvolumes,
    )
  ).filter(({ spec }) => spec.claimRef?.namespace === namespace);
  return {
    job: job.metadata?.finalizers ?? [],
    versions: versions.map(({ metadata, status }) => ({
      name: metadata.name,
      finalizers: metadata.finalizers ?? [],
      phase: status?.imageBuildPhase,
      digest: status?.digest,
      attempts: status?.attempts,
    })),
    latest: models.map(({ metadata, status }) => ({
      name: metadata.name,
      latest: status?.latestVersion,
    })),
    serving: {
      gates: serving.spec?.schedulingGates ?? [],
      image: serving.spec?.initContainers?.[0]?.image,
      gated: serving.metadata?.labels?.[LABELS.gated],
    },
    left: [...jobs, ...claims, ...maps, ...volumes]
      .map(({ kind, metadata }) => `${kind} ${metadata?.name}`)
      .filter((each) => each !== "Job train" && each !== "ConfigMap kube-root-ca.crt"),
  };
}

function expected(namespace: string, name: string, registry: Registry): object {
  const [[image, pushed] = []] = registry;
  return {
    job: [],
    versions: [
      {
        name,
        finalizers: [],
        phase: "ImageBuildSucceeded",
        digest: pushed?.digest,
        attempts: 1,
      },
    ],
    latest: [
      { name: "digits", latest: { modelVersion: name, imageName: image, digest: pushed?.digest } },
    ],
    serving: {
      gates: [],
      image: `registry.test/${namespace}@${pushed?.digest}`,
      gated: undefined,
    },
    left: [],
  };
}

async function countRepeats(api: ApiServer, namespace: string): Promise<number> {
  interface Event extends KubeObject {
    readonly reportingController?: string;
    readonly series?: { readonly count: number };
  }
  const { items } = await listAll<Event>(api, resources.events, { namespace });
  const ours = items.filter(({ reportingController }) => reportingController === "modelhook");
  return Math.max(...ours.map(({ series }) => series?.count ?? 1));
}

/** Creates an object as a user would, again and again while modelhook is away. */
async function createOnce<T extends KubeObject>(
  api: ApiServer,
  resource: Resource,
  object: T,
): Promise<T> {
  const { namespace, name = "" } = object.metadata ?? {};
  return eventually(`${resource.kind} ${name} is created`, async () => {
    try {
      return await create(api, resource, object);
    } catch (error) {
      // A lost answer may have been a yes.
      if (isAlreadyExists(error)) return get<T>(api, resource, { namespace, name });
      throw error;
    }
  });
}

async function makeNamespace(api: ApiServer, name: string): Promise<void> {
  await create(api, resources.namespaces, { metadata: { name } });
  // Without it no pod is admitted.
  await eventually(`the ServiceAccount of ${name}`, async () =>
    api.request("GET", `/api/v1/namespaces/${name}/serviceaccounts/default`),
  );
}

function trainingJob(namespace: string): Job {
  const intent = {
    modelName: "digits",
    imageRepo: `registry.test/${namespace}`,
    storage: { localStorage: { path: `/models/${namespace}`, nodeName: NODE } },
  };
  return {
    metadata: {
      name: "train",
      namespace,
      annotations: { [ANNOTATIONS.export]: JSON.stringify(intent) },
    },
    spec: {
      template: {
        spec: {
          restartPolicy: "Never",
          containers: [{ name: "train", image: "registry.test/train:1" }],
        },
      },
    },
  };
}

function servingPod(namespace: string, modelVersion: string): Pod {
  return {
    metadata: {
      name: "serve",
      namespace,
      annotations: { [ANNOTATIONS.modelVersion]: modelVersion },
    },
    spec: { containers: [{ name: "server", image: "registry.test/server:1" }] },
  };
}
