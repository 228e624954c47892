import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, vi } from "vitest";
import type { ControlPlane } from "../../deploy/local/control-plane.ts";
import { ANNOTATIONS, GATES, LABELS } from "../../src/api/annotations.ts";
import type { BuildReport } from "../../src/api/build-report.ts";
import type { Job, KubeObject, PersistentVolumeClaim, Pod } from "../../src/api/kube-types.ts";
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
import { endBuild, eventually, succeed } from "./kubelet.ts";

/** Node that has the data of every way. */
export const NODE = "node-1";

/** What happens around an answer of the kubelet. */
export type Moment =
  | "before training ends"
  | "after training ends"
  | "before the build ends"
  | "after the build ends";

/** One model's whole way in a namespace of its own: a job that exports, the build of its image, a pod that waits to serve it. */
export interface WholeWay {
  /** Resolves when the way is at its end, with nothing lost, doubled or left behind; rejects with what differs. */
  readonly arrived: Promise<Arrival>;
}

/** What a way leaves for the test to judge. */
export interface Arrival {
  /** How often modelhook said the thing that it said most often, by Events. */
  readonly repeats: number;
}

/** Repository tags, each with the image that was pushed there last. */
interface Registry {
  readonly tags: Map<string, { readonly digest: string; readonly versionUid: string }>;
  pushes: number;
}

const silent = createLogger({ level: "silent" });

/** How long a way may take, a lost lease and a restarted API server included. */
const PATIENCE_MS = 90_000;

/**
 * Starts a way: the objects that a user would make, and a kubelet that ends whatever pods appear. Everything that fails is
 * tried again, as users, controllers and kubelets do, so that only modelhook's own faults are seen.
 */
export function startWholeWay(
  plane: ControlPlane,
  namespace: string,
  happens: (moment: Moment) => Promise<void> = async () => {},
): WholeWay {
  const arrived = goWholeWay(plane, namespace, happens);
  // Whoever awaits it still gets the rejection, though a process may have to end first.
  arrived.catch(() => {});
  return { arrived };
}

async function goWholeWay(
  plane: ControlPlane,
  namespace: string,
  happens: (moment: Moment) => Promise<void>,
): Promise<Arrival> {
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
    const registry: Registry = { tags: new Map(), pushes: 0 };
    const kubelet = runKubelet({ plane, api, namespace, registry, happens, signal });
    const end = async (): Promise<void> => {
      expect(await observe(api, namespace)).toEqual(expected(namespace, name, registry));
      expect([...digests]).toEqual([...registry.tags.values()].map(({ digest }) => digest));
    };
    await Promise.race([vi.waitFor(end, { timeout: PATIENCE_MS, interval: 200 }), kubelet]);
    expect(registry.pushes).toBe(1);
    stopping.abort(new Error("the way is at its end"));
    await kubelet;
    return { repeats: await countRepeats(api, namespace) };
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
  const jobs = await all(resources.jobs);
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

function expected(namespace: string, name: string, { tags }: Registry): object {
  const [[image, pushed] = []] = tags;
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

/** Ends the pods of a namespace as they would end on a node, each when its gates are gone and its claims are bound. */
async function runKubelet(node: {
  readonly plane: ControlPlane;
  readonly api: ApiServer;
  readonly namespace: string;
  readonly registry: Registry;
  readonly happens: (moment: Moment) => Promise<void>;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { plane, api, namespace, registry, happens, signal } = node;
  const ended = new Set<string>();
  while (!signal.aborted) {
    const pods = await listAll<Pod>(api, resources.pods, { namespace }).catch(() => ({
      items: [],
    }));
    for (const pod of pods.items) {
      const { uid = "", labels } = pod.metadata ?? {};
      if (ended.has(uid) || !(await canStart(api, pod))) continue;
      if (labels?.["batch.kubernetes.io/job-name"] === "train") {
        await happens("before training ends");
        await insist(async () => succeed(plane, pod));
        await happens("after training ends");
      } else if (labels?.[LABELS.versionUid] !== undefined) {
        await happens("before the build ends");
        const report = build(registry, pod);
        await insist(async () => endBuild(plane, pod, report));
        await happens("after the build ends");
      }
      ended.add(uid);
    }
    await sleep(100);
  }
}

async function canStart(api: ApiServer, pod: Pod): Promise<boolean> {
  if ((pod.spec?.schedulingGates ?? []).length > 0) return false;
  const { namespace } = pod.metadata ?? {};
  const names = (pod.spec?.volumes ?? []).flatMap(
    (volume) => volume.persistentVolumeClaim?.claimName ?? [],
  );
  try {
    for (const name of names) {
      const claim = await get<PersistentVolumeClaim>(api, resources.persistentvolumeclaims, {
        namespace,
        name,
      });
      if (claim.status?.phase !== "Bound") return false;
    }
    return true;
  } catch {
    return false;
  }
}

/** What the containers of a build pod do: look at the tag, adopt the image that is theirs, else push. */
function build(registry: Registry, pod: Pod): BuildReport {
  const args = pod.spec?.initContainers?.[0]?.args ?? [];
  const argument = (name: string): string =>
    args.find((each) => each.startsWith(`--${name}=`))?.slice(name.length + 3) ?? "";
  const tag = argument("image");
  const versionUid = argument("version-uid");
  const present = registry.tags.get(tag);
  if (present !== undefined && present.versionUid !== versionUid) {
    return { state: "failed", reason: "TagTaken", message: `${tag} is not ours` };
  }
  // No two pushes give the same image: file times differ.
  const digest = present?.digest ?? digestOf(pod.metadata?.uid ?? "");
  if (present === undefined) {
    registry.tags.set(tag, { digest, versionUid });
    registry.pushes += 1;
  }
  const image = { digest, size: 1000, files: 3, layers: [{ digest, size: 900 }] };
  return { state: present === undefined ? "built" : "adopted", image };
}

function digestOf(text: string): string {
  return `sha256:${createHash("sha256").update(text).digest("hex")}`;
}

/** Does it until it is done, or until what it is done to has gone. */
async function insist(work: () => Promise<unknown>): Promise<void> {
  await eventually("a kubelet's answer", async () => {
    try {
      await work();
    } catch (error) {
      if (!(error as Error).message.includes("NotFound")) throw error;
    }
    return true;
  });
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
