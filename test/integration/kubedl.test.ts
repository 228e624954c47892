import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ControlPlane } from "../../deploy/local/control-plane.ts";
import type { Deployment, Job, KubeObject, Pod } from "../../src/api/kube-types.ts";
import type { ModelVersion } from "../../src/api/modelversion.ts";
import { answer } from "./answer.ts";
import { becomeReady, completeJob, eventsOn, eventually, list, read } from "./kubelet.ts";
import { readMetric } from "./metrics.ts";
import { startModelhook, startPlane, type RunningModelhook } from "./modelhook.ts";
import { storeWithoutSchema, type StoredVersion } from "./stored.ts";

const PRESENT = "modelhook_kubedl_present";
/** Every replica looks every 30 s. */
const NEXT_LOOK = 40;
const SOON = { timeout: 20_000 };
const DIGEST = `sha256:${"ab".repeat(32)}`;
const LOCAL = { path: "/models/a", nodeName: "node-1" };
const NFS = { server: "nfs.example", path: "/models" };
const TYPE = { apiVersion: "model.kubedl.io/v1alpha1" };

function specOf(name: string, storage?: object): object {
  return { modelName: "digits", imageRepo: `registry.test/${name}`, storage };
}

function localSpec(name: string): object {
  return specOf(name, { localStorage: { ...LOCAL, path: `/models/${name}` } });
}

/** What KubeDL's schema let be stored. */
const STORED: Readonly<Record<string, StoredVersion>> = {
  "no-spec": {},
  "no-storage": { spec: specOf("no-storage") },
  "two-storages": { spec: specOf("two-storages", { localStorage: LOCAL, nfs: NFS }) },
  "empty-storage": { spec: specOf("empty-storage", { localStorage: {} }) },
  "no-label": { spec: { ...specOf("no-label", { localStorage: LOCAL }), modelName: "My Model" } },
  "half-built": {
    spec: localSpec("half-built"),
    status: { imageBuildPhase: "ImageBuilding", image: "registry.test/half-built:ab12c" },
  },
  "half-built-of-two": {
    spec: specOf("half-built-of-two", { localStorage: LOCAL, nfs: NFS }),
    status: { imageBuildPhase: "ImageBuilding", image: "registry.test/half-built-of-two:ab12c" },
  },
  built: {
    spec: localSpec("built"),
    status: {
      imageBuildPhase: "ImageBuildSucceeded",
      image: "registry.test/built:ab12c",
      message: "Image build succeeded.",
      finishTime: "2024-01-01T00:00:00Z",
    },
  },
  "built-without-spec": {
    status: { imageBuildPhase: "ImageBuildSucceeded", image: "registry.test/bare:ab12c" },
  },
  failed: {
    spec: specOf("failed"),
    status: { imageBuildPhase: "ImageBuildFailed", message: "Image build failed." },
  },
};
/** Those that are left to KubeDL while it runs. */
const LEFT: ReadonlySet<string> = new Set([...Object.keys(STORED), "owned", "shared", "waiting"]);

let plane: ControlPlane;
let modelhook: RunningModelhook;
/** The Model that owns a version, as KubeDL would have it. */
let owner: KubeObject | undefined;
let before: Readonly<Record<string, string>>;

beforeAll(async () => {
  plane = await startPlane(async (empty) => storeWithoutSchema(empty, "default", STORED));
  await plane.kubectl(["create", "namespace", "team-a"]);
  await looksLikeKubeDl("team-a", "default");
  await plane.kubectl(["create", "namespace", "kubedl-system"]);
  await letKubeDlWrite();
  await runKubeDl();
  await create({ ...TYPE, kind: "Model", metadata: { name: "owner" }, spec: {} });
  owner = await read(plane, "model.model.kubedl.io", "owner");
  const ofModel = { modelName: "owner" };
  await makeVersion("owned", { ownerReferences: [ownerReference()] }, ofModel);
  await makeVersion("shared", { ownerReferences: [await workflow(), ownerReference()] }, ofModel);
  const child = { name: "child", ownerReferences: [ownerReference()] };
  await create({ apiVersion: "v1", kind: "ConfigMap", metadata: child });
  await built("owned");
  await makeVersion("waiting");
  await makeVersion("served");
  await built("served");
  await makeVersion("soon");
  await makeVersion("leaving", { finalizers: ["model.kubedl.io/volume"] });
  before = await resourceVersions();
  modelhook = await startModelhook(plane);
  await seen(1);
});
afterAll(async () => {
  await modelhook?.kill();
  await plane?.stop();
});

describe("while KubeDL runs", () => {
  test("the definition says who runs and what to do, where kubectl shows it", async () => {
    const text = await eventually("the event", async () => {
      const described = await plane.kubectl(["describe", "crd", "modelversions.model.kubedl.io"]);
      return described.includes("KubeDLPresent") && described;
    });
    expect(text).toContain(
      "KubeDL (Deployment kubedl-system/kubedl, image docker.io/kubedl/kubedl:0.4.2) runs",
    );
    expect(text).toMatch(/Warning\s+KubeDLPresent/);
    expect(modelhook.output()).toContain("KubeDL runs: standing by, nothing is built");
  });

  test("a serving pod gets its model, and the gate of another goes when its version is built", async () => {
    await create(servingPod("serves", "served"));
    const serving = await live<Pod>("pod", "serves");
    expect(serving.spec?.initContainers?.[0]?.image).toBe(`registry.test/served@${DIGEST}`);
    expect(serving.spec?.schedulingGates).toBeUndefined();
    await create(servingPod("waits", "soon"));
    expect((await live<Pod>("pod", "waits")).spec?.schedulingGates).toHaveLength(1);
    await built("soon");
    await eventually("the gate goes", async () => {
      return (await live<Pod>("pod", "waits")).spec?.schedulingGates === undefined;
    });
  });

  test("a job that exports becomes a ModelVersion and is let go", async () => {
    await create(exportingJob("train"));
    await completeJob(plane, "train", "default");
    await eventually("the job is let go", async () => {
      return (await live<Job>("job", "train")).metadata?.finalizers === undefined;
    });
    const versions = await list(plane, "modelversion", "model.kubedl.io/job-uid");
    expect(versions.map(({ metadata }) => metadata?.finalizers)).toEqual([undefined]);
  });

  test("a pod that names a version which KubeDL has built is told why it waits", async () => {
    await create(servingPod("asks", "built"));
    const message =
      "ModelNotBuilt: waits: ModelVersion built is built, but its status has no digest: another controller built it, and its tag may name anything by now; name one that modelhook has built";
    await expect.poll(async () => eventsOn(plane, "asks"), SOON).toContain(message);
  });

  test("a version that the administrator would not allow modelhook to build is left to KubeDL", async () => {
    const later =
      'Warning: spec.storage.localStorage.path: "/data/digits" is not allowed: allowed are directories below /models; accepted while KubeDL runs, but modelhook will not build it when KubeDL has gone';
    const said = (await answer(plane, unlisted("unlisted"))).split("\n");
    expect(said).toContain(later);
    expect(await read(plane, "modelversion", "unlisted")).toBeDefined();
    const forged = unlisted("forged", { labels: { "model.kubedl.io/job-uid": "forged" } });
    expect(await answer(plane, forged)).toContain("only modelhook sets it");
    expect(await read(plane, "modelversion", "forged")).toBeUndefined();
  });

  test("a replica that does not lead knows of it, too", async () => {
    const second = await startModelhook(plane, { instance: "modelhook-1" });
    try {
      const present = async (): Promise<number> => readMetric(second, PRESENT);
      await expect.poll(present, SOON).toBe(1);
      expect(await readMetric(second, "modelhook_leader")).toBe(0);
    } finally {
      await second.stop();
    }
  });

  test("a version that waits for modelhook's finalizer can be deleted", async () => {
    const deletion = plane.kubectl(["delete", "modelversion", "leaving", "--timeout=20s"]);
    await expect(deletion).resolves.toContain("deleted");
  });

  test("nothing else of KubeDL's is written, and nothing is built", async () => {
    expect(await resourceVersions()).toEqual(before);
    expect(await list<Job>(plane, "jobs", "model.kubedl.io/modelversion-uid")).toEqual([]);
    const exported = await list<ModelVersion>(plane, "modelversion", "model.kubedl.io/job-uid");
    expect(exported.map(({ status }) => status)).toEqual([undefined]);
  });
});

describe("when KubeDL has gone", () => {
  beforeAll(async () => {
    await plane.kubectl(["delete", "deployment", "kubedl", "--namespace", "kubedl-system"]);
    await seen(0);
  });

  test("the definition says so", async () => {
    const said = "KubeDLGone: KubeDL runs no more; modelhook builds ModelVersions again";
    const definition = "modelversions.model.kubedl.io";
    await expect.poll(async () => eventsOn(plane, definition), SOON).toContain(said);
  });

  test("a tenant's Deployment that looks like it, and is ready, changes nothing", async () => {
    const forged = await read<Deployment>(plane, "deployment", "kubedl", "team-a");
    expect(forged?.status?.readyReplicas).toBe(1);
    expect(modelhook.output()).not.toContain("team-a/kubedl");
  });

  test("what was left to it, and is not allowed, is not built and not accepted any more", async () => {
    await phaseOf("unlisted", "ImageBuildFailed");
    expect((await live<ModelVersion>("modelversion", "unlisted")).status?.message).toBe(
      'PathNotAllowed: spec.storage.localStorage.path: "/data/digits" is not allowed: allowed are directories below /models',
    );
    expect(await answer(plane, unlisted("another"))).toContain("is invalid");
  });

  test("what waited is built", async () => {
    await phaseOf("waiting", "ImageBuilding");
    expect((await live<ModelVersion>("modelversion", "waiting")).status?.observedGeneration).toBe(
      1,
    );
  });

  test("a Model owns its versions no more, so that they outlive it", async () => {
    const ownersOf = async (name: string): Promise<readonly (string | undefined)[]> => {
      const { metadata } = await live<ModelVersion>("modelversion", name);
      return (metadata.ownerReferences ?? []).map(({ kind }) => kind);
    };
    await expect.poll(async () => ownersOf("owned"), SOON).toEqual([]);
    await expect.poll(async () => ownersOf("shared"), SOON).toEqual(["ConfigMap"]);
    await plane.kubectl(["delete", "model.model.kubedl.io", "owner", "--timeout=20s"]);
    await eventually("the Model is made anew", async () => {
      const made = await read(plane, "model.model.kubedl.io", "owner");
      return made !== undefined && made.metadata?.uid !== owner?.metadata?.uid;
    });
    // Owned by the Model as the version was: once it is gone the garbage collector has done its work.
    await eventually("the garbage is collected", async () => {
      return (await read(plane, "configmap", "child")) === undefined;
    });
    const { metadata } = await live<ModelVersion>("modelversion", "owned");
    expect(metadata.deletionTimestamp).toBeUndefined();
  });
});

describe("what KubeDL's schema let be stored", () => {
  const types = "spec.storage: exactly one storage type is needed, found";
  test.each<[name: string, because: string]>([
    ["no-spec", "spec: is required"],
    ["no-storage", `${types} none`],
    ["two-storages", `${types} localStorage and nfs`],
    ["half-built-of-two", `${types} localStorage and nfs`],
    [
      "empty-storage",
      "spec.storage.localStorage.path: is required; spec.storage.localStorage.nodeName: is required",
    ],
    [
      "no-label",
      `spec.modelName: "My Model" must be lower case letters, digits and "-", beginning and ending with a letter or digit`,
    ],
  ])("%s can not be built, and says why", async (name, because) => {
    await phaseOf(name, "ImageBuildFailed");
    expect((await live<ModelVersion>("modelversion", name)).status).toMatchObject({
      message: `InvalidObject: ${because}`,
      conditions: [{ type: "Built", status: "False", reason: "InvalidObject", message: because }],
    });
  });

  test("half-built is built anew, under the tag that KubeDL gave it", async () => {
    await expect
      .poll(async () => (await live<ModelVersion>("modelversion", "half-built")).status, SOON)
      .toMatchObject({
        imageBuildPhase: "ImageBuilding",
        image: "registry.test/half-built:ab12c",
        observedGeneration: 1,
      });
  });

  test.each(["built", "built-without-spec", "failed"])("%s stays as it is", async (name) => {
    const { status } = await live<ModelVersion>("modelversion", name);
    expect(status).toEqual(STORED[name]?.status);
  });

  test.each(Object.keys(STORED))("%s can be labelled, and deleted", async (name) => {
    await patch(name, { metadata: { labels: { seen: "yes" }, annotations: { seen: "yes" } } });
    await patch(name, { status: { message: "seen" } }, "--subresource=status");
    const { metadata } = await live<ModelVersion>("modelversion", name);
    const finalizers = (metadata.finalizers ?? []).filter((each) => each !== "kubedl.io/old");
    await patch(name, { metadata: { finalizers } });
    const deletion = plane.kubectl(["delete", "modelversion", name, "--timeout=20s"]);
    await expect(deletion).resolves.toContain("deleted");
  });

  test("kept nothing of the leader's work from succeeding", () => {
    const lines = modelhook.output().split("\n");
    const failures = /Work failed|Index failed|Handler of a change failed|The leader's work failed/;
    expect(lines.filter((line) => failures.test(line))).toEqual([]);
  });
});

describe("when KubeDL has come back", () => {
  beforeAll(async () => {
    await runKubeDl();
    await seen(1);
  });

  test("nothing is built, until modelhook is told to take over", async () => {
    await makeVersion("late");
    const { resourceVersion } = (await live("modelversion", "late")).metadata ?? {};
    await create(servingPod("of-late", "late"));
    expect((await live("modelversion", "late")).metadata?.resourceVersion).toBe(resourceVersion);
    await modelhook.stop();

    modelhook = await startModelhook(plane, { takeover: true });

    await phaseOf("late", "ImageBuilding");
    await seen(1);
    expect(modelhook.output()).toContain("KubeDL runs, and is not heeded: serve --takeover");
  });
});

/** KubeDL as its manifest has it. */
async function runKubeDl(): Promise<void> {
  await looksLikeKubeDl("kubedl-system", "kubedl");
}

/** What everybody who may create a Deployment can make; a kubelet that does not exist says that its pod is ready. */
async function looksLikeKubeDl(namespace: string, serviceAccountName: string): Promise<void> {
  const labels = { app: "kubedl" };
  const image = "docker.io/kubedl/kubedl:0.4.2";
  const containers = [{ name: "kubedl-manager", image }];
  await create({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "kubedl", namespace, labels },
    spec: {
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { serviceAccountName, containers } },
    },
  });
  await eventually("its replica is ready", async () => {
    for (const pod of await list<Pod>(plane, "pods", "app=kubedl")) await becomeReady(plane, pod);
    const deployment = await read<Deployment>(plane, "deployment", "kubedl", namespace);
    return deployment?.status?.readyReplicas === 1;
  });
}

/** The part of KubeDL's manifest that makes it a rival: its ServiceAccount may write the versions of all namespaces. */
async function letKubeDlWrite(): Promise<void> {
  const account = ["--namespace", "kubedl-system", "create", "serviceaccount", "kubedl"];
  await plane.kubectl(account);
  const verbs = "--verb=get,list,watch,create,update,patch,delete";
  const resource = "--resource=modelversions.model.kubedl.io";
  await plane.kubectl(["create", "clusterrole", "kubedl", verbs, resource]);
  const binding = ["--clusterrole=kubedl", "--serviceaccount=kubedl-system:kubedl"];
  await plane.kubectl(["create", "clusterrolebinding", "kubedl", ...binding]);
}

/** Waits until the metric says whether KubeDL runs. */
async function seen(value: 0 | 1): Promise<void> {
  await eventually(
    `${PRESENT} is ${value}`,
    async () => (await readMetric(modelhook, PRESENT)) === value,
    NEXT_LOOK,
  );
}

/** A version in a directory that the administrator has not listed. */
function unlisted(name: string, metadata: object = {}): object {
  const storage = { localStorage: { path: "/data/digits", nodeName: "node-1" } };
  const labelled = { name, ...metadata };
  return { ...TYPE, kind: "ModelVersion", metadata: labelled, spec: specOf(name, storage) };
}

function ownerReference() {
  return { ...TYPE, kind: "Model", name: "owner", uid: owner?.metadata?.uid };
}

/** An owner that is not KubeDL's. */
async function workflow(): Promise<object> {
  await create({ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "workflow" } });
  const { metadata } = await live("configmap", "workflow");
  return { apiVersion: "v1", kind: "ConfigMap", name: "workflow", uid: metadata?.uid };
}

async function makeVersion(name: string, metadata: object = {}, spec: object = {}): Promise<void> {
  const version = { ...TYPE, kind: "ModelVersion", metadata: { name, ...metadata } };
  await create({ ...version, spec: { ...localSpec(name), ...spec } });
}

/** Says that modelhook has built it, some time ago. */
async function built(name: string): Promise<void> {
  const image = `registry.test/${name}:v1`;
  const status = { imageBuildPhase: "ImageBuildSucceeded", image, digest: DIGEST, size: 1 };
  await patch(name, { status }, "--subresource=status");
}

async function phaseOf(name: string, phase: string): Promise<void> {
  await eventually(`${name} is ${phase}`, async () => {
    return (await live<ModelVersion>("modelversion", name)).status?.imageBuildPhase === phase;
  });
}

async function resourceVersions(): Promise<Readonly<Record<string, string>>> {
  const versions = await list<ModelVersion>(plane, "modelversions", "");
  const models = await list(plane, "models.model.kubedl.io", "");
  const left = versions.filter(({ metadata }) => LEFT.has(metadata.name ?? ""));
  return Object.fromEntries(
    [...left, ...models].map(({ kind, metadata }) => [
      `${kind}/${metadata?.name}`,
      metadata?.resourceVersion ?? "",
    ]),
  );
}

async function live<T extends KubeObject>(kind: string, name: string): Promise<T> {
  const found = await read<T>(plane, kind, name);
  if (found === undefined) throw new Error(`there is no ${kind} ${name}`);
  return found;
}

async function create(object: object): Promise<void> {
  await plane.kubectl(["create", "--filename", "-"], JSON.stringify(object));
}

async function patch(name: string, change: object, ...flags: readonly string[]): Promise<void> {
  const text = JSON.stringify(change);
  await plane.kubectl(["patch", "modelversion", name, "--type=merge", "--patch", text, ...flags]);
}

function servingPod(name: string, modelVersion: string): object {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, annotations: { "model.kubedl.io/model-version": modelVersion } },
    spec: { containers: [{ name: "server", image: "registry.test/server:1" }] },
  };
}

function exportingJob(name: string): object {
  const intent = {
    modelName: "trained",
    imageRepo: "registry.test/trained",
    storage: { localStorage: { path: "/models/trained", nodeName: "node-1" } },
  };
  const containers = [{ name: "train", image: "registry.test/train:1" }];
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name, annotations: { "model.kubedl.io/export": JSON.stringify(intent) } },
    spec: { suspend: true, template: { spec: { restartPolicy: "Never", containers } } },
  };
}
