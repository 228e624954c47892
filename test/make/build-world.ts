import { applyPatch, type Operation } from "fast-json-patch";
import { LABELS } from "../../src/api/annotations.ts";
import { printReport, type BuiltImage } from "../../src/api/build-report.ts";
import type {
  Job,
  KubeObject,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
} from "../../src/api/kube-types.ts";
import type { Model } from "../../src/api/model.ts";
import type { ModelVersion } from "../../src/api/modelversion.ts";
import type { Reason } from "../../src/api/reasons.ts";
import { formatTime } from "../../src/api/time.ts";
import { deepFreeze } from "../../src/kube/freeze.ts";
import type { Action, ObjectRef } from "../../src/reconcile/action.ts";
import { references, type ModelVersionObserved } from "../../src/reconcile/observed.ts";
import { makeSettings } from "./build.ts";
import { makeLimits } from "./limits.ts";

/** How the pod of an attempt ends. */
export type PodEnd =
  /** Pushes (or finds its image pushed already) and says so. */
  | "succeeds"
  /** Pushes, and is taken away before it can say so. */
  | "vanishes after its push"
  /** Fails for a cause outside of the build. */
  | "loses the registry"
  /** Fails for a cause in the build that may pass. */
  | "fills the disk"
  /** Fails for good. */
  | "finds nothing";

const NODE = "node-1";

const REASONS: Readonly<Partial<Record<PodEnd, Reason>>> = {
  "loses the registry": "RegistryUnreachable",
  "fills the disk": "DiskFull",
  "finds nothing": "EmptyModel",
};

interface Kinds {
  readonly ModelVersion: ModelVersion;
  readonly Model: Model;
  readonly Job: Job;
  readonly Pod: Pod;
  readonly PersistentVolume: PersistentVolume;
  readonly PersistentVolumeClaim: PersistentVolumeClaim;
}

/**
 * A cluster as far as builds go, in memory: objects with UIDs and resource versions, a volume binder, a Job controller with
 * one pod per Job, garbage collection, and a registry with one tag. Nothing in it moves unless it is told to.
 */
export class BuildWorld {
  now = 1_800_000_000_000;
  /** Digest and owner of the one tag. */
  tag: { readonly digest: string; readonly uid: string } | undefined;
  /** Most pods that were seen running at the same time. */
  mostPods = 0;
  readonly #objects = new Map<string, KubeObject>();
  #counter = 0;

  /** Adds an object as a user would. */
  add(object: KubeObject): void {
    this.#put({ ...object, metadata: { ...object.metadata, ...this.#identity(), generation: 1 } });
  }

  version(): ModelVersion | undefined {
    return this.#list("ModelVersion")[0];
  }

  objects(): readonly KubeObject[] {
    return [...this.#objects.values()];
  }

  /** What a controller sees now. */
  observe(): ModelVersionObserved | undefined {
    const version = this.version();
    if (version === undefined) return undefined;
    const { claimName, volumeName } = references(version);
    const claim = this.#list("PersistentVolumeClaim").find(
      ({ metadata }) => metadata?.name === claimName,
    );
    const volume = this.#list("PersistentVolume").find(
      ({ metadata }) => metadata?.name === volumeName,
    );
    const model = this.#list("Model")[0];
    return deepFreeze(
      structuredClone({
        now: this.now,
        version,
        settings: makeSettings(),
        limits: makeLimits(),
        hostname: NODE,
        jobs: this.#list("Job"),
        pods: this.#list("Pod").toReversed(),
        events: [],
        rivals: [],
        ...(claim === undefined ? {} : { claim }),
        ...(volume === undefined ? {} : { volume }),
        ...(model === undefined ? {} : { model }),
      }),
    );
  }

  /** Does the steps of a pass as the controller's writer does; `until` steps only when the process dies then. */
  apply(actions: readonly Action[], until = Infinity): void {
    for (const [index, action] of actions.entries()) {
      if (index >= until || !this.#step(action)) return;
    }
  }

  /** Lets volume binder and Job controller do all they can. */
  settle(): void {
    for (const claim of this.#list("PersistentVolumeClaim")) {
      if (claim.status?.phase !== "Bound")
        this.#put({ ...claim, status: { phase: "Bound" } } as KubeObject);
    }
    for (const job of this.#list("Job")) {
      if (this.#podsOf(job).length === 0 && !isEnded(job)) this.#startPod(job);
    }
    const running = this.#list("Pod").filter(({ status }) => status?.phase === "Running");
    this.mostPods = Math.max(this.mostPods, running.length);
  }

  /** Ends every running pod that way, and its Job with it. */
  endPods(end: PodEnd): void {
    for (const pod of this.#list("Pod").filter(({ status }) => status?.phase === "Running")) {
      const uid = pod.metadata?.labels?.[LABELS.versionUid] ?? "";
      const pushes = end === "succeeds" || end === "vanishes after its push";
      if (pushes && !adopts(pod)) {
        this.tag = { uid, digest: `sha256:${(++this.#counter).toString(16).padStart(64, "0")}` };
      }
      const job = this.#list("Job").find((each) =>
        this.#podsOf(each).some(({ metadata }) => metadata?.uid === pod.metadata?.uid),
      );
      if (end === "vanishes after its push") this.#remove(pod);
      else
        this.#put({
          ...pod,
          status: { phase: end === "succeeds" ? "Succeeded" : "Failed", ...this.#containers(end) },
        } as KubeObject);
      if (job !== undefined) this.#endJob(job, end === "succeeds" ? "Complete" : "Failed");
    }
  }

  /** Deletes the version as a user would; it goes when its finalizers are gone. */
  deleteVersion(): void {
    const version = this.version();
    if (version !== undefined) this.#delete(version);
  }

  /** Deletes the Jobs as a user would. */
  deleteJobs(): void {
    for (const job of this.#list("Job")) this.#delete(job);
  }

  annotate(key: string, value: string): void {
    const version = this.version();
    if (version === undefined) return;
    const annotations = { ...version.metadata.annotations, [key]: value };
    this.#put({ ...version, metadata: { ...version.metadata, annotations } });
  }

  #step(action: Action): boolean {
    switch (action.type) {
      case "create": {
        const existing = this.#objects.get(keyOf(action.object));
        if (existing === undefined) this.add(action.object);
        return true;
      }
      case "delete": {
        const existing = this.#objects.get(keyOf(action.ref));
        const isMeant = action.ref.uid === undefined || action.ref.uid === existing?.metadata?.uid;
        if (existing !== undefined && isMeant) this.#delete(existing);
        return true;
      }
      case "status": {
        const existing = this.#objects.get(keyOf(action.ref));
        if (existing?.metadata?.resourceVersion !== action.resourceVersion) return false;
        this.#put({ ...existing, status: JSON.parse(JSON.stringify(action.status)) } as KubeObject);
        return true;
      }
      case "patch": {
        const existing = this.#objects.get(keyOf(action.ref));
        if (existing === undefined) return false;
        try {
          const operations = structuredClone(action.operations) as Operation[];
          const { newDocument } = applyPatch(structuredClone(existing), operations, true, false);
          const isChange = operations.some(({ op }) => op !== "test");
          if (isChange) this.#put(newDocument);
        } catch {
          return false;
        }
        this.#finish(keyOf(action.ref));
        return true;
      }
      case "event":
      case "requeueAfter":
        return true;
    }
  }

  #containers(end: PodEnd): object {
    const image: BuiltImage = { digest: this.tag?.digest ?? "", size: 1, files: 1, layers: [] };
    const message =
      end === "succeeds"
        ? printReport({ state: "built", image })
        : printReport({
            state: "failed",
            reason: REASONS[end] ?? "Unknown",
            message: end,
          });
    const exitCode = end === "succeeds" ? 0 : 1;
    return {
      containerStatuses: [{ name: "verify", state: { terminated: { exitCode, message } } }],
    };
  }

  #startPod(job: Job): void {
    const owner = {
      apiVersion: "batch/v1",
      kind: "Job",
      name: job.metadata?.name ?? "",
      uid: job.metadata?.uid ?? "",
      controller: true,
    };
    const { namespace = "", name = "", labels = {} } = job.metadata ?? {};
    // What `stage-source` does first: an image of ours is not built again.
    const adopt = this.tag !== undefined && this.tag.uid === labels[LABELS.versionUid];
    this.add({
      apiVersion: "v1",
      kind: "Pod",
      metadata: {
        namespace,
        name: `${name}-${++this.#counter}`,
        labels,
        annotations: { adopt: String(adopt) },
        ownerReferences: [owner],
      },
      status: { phase: "Running" },
    } as KubeObject);
  }

  #endJob(job: Job, type: "Complete" | "Failed"): void {
    const condition = {
      type,
      status: "True",
      reason: "BackoffLimitExceeded",
      lastTransitionTime: formatTime(this.now),
    };
    this.#put({ ...job, status: { conditions: [condition] } } as KubeObject);
  }

  #podsOf(job: Job): readonly Pod[] {
    return this.#list("Pod").filter(
      ({ metadata }) => metadata?.ownerReferences?.[0]?.uid === job.metadata?.uid,
    );
  }

  /** Lets the garbage collector remove what has an owner that is gone; until then such a pod runs on. */
  collect(): void {
    const uids = new Set(this.objects().map(({ metadata }) => metadata?.uid));
    for (const object of this.objects()) {
      const owners = object.metadata?.ownerReferences ?? [];
      if (owners.length > 0 && owners.every(({ uid }) => !uids.has(uid))) this.#remove(object);
    }
  }

  #delete(object: KubeObject): void {
    if (object.metadata?.deletionTimestamp !== undefined) return;
    this.#put({
      ...object,
      metadata: { ...object.metadata, deletionTimestamp: formatTime(this.now) },
    });
    this.#finish(keyOf(object));
  }

  #finish(key: string): void {
    const object = this.#objects.get(key);
    if (object?.metadata?.deletionTimestamp === undefined) return;
    if ((object.metadata.finalizers ?? []).length === 0) this.#remove(object);
  }

  #remove(object: KubeObject): void {
    this.#objects.delete(keyOf(object));
  }

  #put(object: KubeObject): void {
    const metadata = { ...object.metadata, resourceVersion: String(++this.#counter) };
    this.#objects.set(keyOf(object), { ...object, metadata });
  }

  #list<Kind extends keyof Kinds>(kind: Kind): readonly Kinds[Kind][] {
    return this.objects().filter((object): object is Kinds[Kind] => object.kind === kind);
  }

  #identity(): { uid: string; creationTimestamp: string } {
    const number = (++this.#counter).toString(16).padStart(12, "0");
    return { uid: `00000000-0000-4000-8000-${number}`, creationTimestamp: formatTime(this.now) };
  }
}

function adopts({ metadata }: Pod): boolean {
  return metadata?.annotations?.["adopt"] === "true";
}

function isEnded({ status }: Job): boolean {
  return (status?.conditions ?? []).length > 0;
}

function keyOf(object: KubeObject | ObjectRef): string {
  const { namespace, name } =
    "metadata" in object ? (object.metadata ?? {}) : (object as ObjectRef);
  return `${object.kind}/${namespace ?? ""}/${name ?? ""}`;
}
