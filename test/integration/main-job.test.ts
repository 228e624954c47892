import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ControlPlane } from "../../deploy/local/control-plane.ts";
import type { Job, KubeObject, PersistentVolumeClaim, Pod } from "../../src/api/kube-types.ts";
import type { Model } from "../../src/api/model.ts";
import type { ModelVersion } from "../../src/api/modelversion.ts";
import { addNode, endBuild, eventually, list, read, succeed } from "./kubelet.ts";
import { startModelhook, startPlane, type RunningModelhook } from "./modelhook.ts";

const DIGEST = `sha256:${"ab".repeat(32)}`;
const NODE = "kind-control-plane";

describe("from a training job to a serving pod, on a real API server without nodes", () => {
  let plane: ControlPlane;
  let modelhook: RunningModelhook;

  beforeAll(async () => {
    plane = await startPlane();
    modelhook = await startModelhook(plane);
    await addNode(plane, NODE);
  });
  afterAll(async () => {
    await modelhook?.stop();
    await plane?.stop();
  });

  test("the exporting job is held by a finalizer, and its pod by a gate until its storage is there", async () => {
    await plane.kubectl(["apply", "-f", "-"], trainingJob());
    const job = await read<Job>(plane, "job", "train");
    expect(job?.metadata?.finalizers).toContain("model.kubedl.io/export");
    const pod = await trainingPod(plane);
    expect(pod.spec?.volumes?.find(({ name }) => name === "kubedl-export")).toMatchObject({
      persistentVolumeClaim: { claimName: expect.stringMatching(/^mh-[0-9a-f]{16}$/) as string },
    });
    await eventually("the gate goes", async () => {
      const live = await read<Pod>(plane, "pod", pod.metadata?.name ?? "");
      return live !== undefined && (live.spec?.schedulingGates ?? []).length === 0;
    });
    const claim = pod.spec?.volumes?.find(({ name }) => name === "kubedl-export")
      ?.persistentVolumeClaim?.claimName;
    await eventually("the claim is bound", async () => {
      const live = await read<PersistentVolumeClaim>(plane, "pvc", claim ?? "");
      return live?.status?.phase === "Bound";
    });
  });

  test("a serving pod that names the version before it exists waits", async () => {
    const job = await read<Job>(plane, "job", "train");
    await plane.kubectl(["apply", "-f", "-"], servingPod("early", versionOf(job)));
    const pod = await read<Pod>(plane, "pod", "early");
    expect(pod?.spec?.schedulingGates).toEqual([{ name: "model.kubedl.io/build" }]);
  });

  test("its success becomes one ModelVersion, and the job is let go", async () => {
    await succeed(plane, await trainingPod(plane));
    const job = await read<Job>(plane, "job", "train");
    await eventually("the version", async () => readVersion(plane, versionOf(job)));
    const version = await readVersion(plane, versionOf(job));
    expect(version?.spec).toEqual({
      modelName: "digits",
      createdBy: "Job/train",
      imageRepo: "registry.test/models/digits",
      storage: { localStorage: { path: "/models/digits", nodeName: NODE } },
    });
    await eventually("the finalizer goes", async () => {
      const live = await read<Job>(plane, "job", "train");
      return live?.metadata?.finalizers?.includes("model.kubedl.io/export") !== true;
    });
    await eventually("the training claim goes", async () => {
      const claims = await list<KubeObject>(plane, "pvc", "model.kubedl.io/export=true");
      return claims.length === 0;
    });
  });

  test("the version is built, and becomes the model's latest", async () => {
    const [pod] = await eventually("the build pod", async () => {
      const pods = await list<Pod>(plane, "pods", "model.kubedl.io/modelversion-uid");
      return pods.length > 0 ? pods : undefined;
    });
    expect(pod?.metadata?.namespace).toBe("default");
    if (pod === undefined) return;
    await endBuild(plane, pod, {
      state: "built",
      image: { digest: DIGEST, size: 1000, files: 3, layers: [{ digest: DIGEST, size: 900 }] },
    });
    const name = versionOf(await read<Job>(plane, "job", "train"));
    const built = await eventually("the version is built", async () => {
      const version = await readVersion(plane, name);
      return version?.status?.imageBuildPhase === "ImageBuildSucceeded" ? version : undefined;
    });
    expect(built.status).toMatchObject({ digest: DIGEST, size: 1000, files: 3 });
    const model = await eventually("the model's latest version", async () => {
      const live = await read<Model>(plane, "model", "digits");
      return live?.status?.latestVersion === undefined ? undefined : live;
    });
    expect(model.status?.latestVersion).toEqual({
      modelVersion: name,
      imageName: built.status?.image,
      digest: DIGEST,
    });
    await eventually("what the build made goes", async () => {
      const left = await list<KubeObject>(
        plane,
        "jobs,pods,configmaps,pvc,pv",
        "model.kubedl.io/modelversion-uid",
      );
      return left.length === 0;
    });
  });

  test("the waiting pod gets the digest and may start", async () => {
    const pod = await eventually("the gate goes", async () => {
      const live = await read<Pod>(plane, "pod", "early");
      return (live?.spec?.schedulingGates ?? []).length === 0 ? live : undefined;
    });
    const image = `registry.test/models/digits@${DIGEST}`;
    expect(pod.spec?.initContainers?.[0]).toMatchObject({ name: "kubedl-model-loader", image });
    expect(pod.metadata?.labels?.["model.kubedl.io/gated"]).toBeUndefined();
  });

  test("a pod that comes now gets the digest at once", async () => {
    const name = versionOf(await read<Job>(plane, "job", "train"));
    await plane.kubectl(["apply", "-f", "-"], servingPod("late", name));
    const pod = await read<Pod>(plane, "pod", "late");
    expect(pod?.spec?.schedulingGates).toBeUndefined();
    expect(pod?.spec?.initContainers?.[0]?.image).toBe(`registry.test/models/digits@${DIGEST}`);
  });
});

async function trainingPod(plane: ControlPlane): Promise<Pod> {
  const [pod] = await eventually("the training pod", async () => {
    const pods = await list<Pod>(plane, "pods", "batch.kubernetes.io/job-name=train");
    return pods.length > 0 ? pods : undefined;
  });
  if (pod === undefined) throw new Error("no training pod");
  return pod;
}

async function readVersion(plane: ControlPlane, name: string): Promise<ModelVersion | undefined> {
  return read<ModelVersion>(plane, "modelversion", name);
}

function versionOf(job: Job | undefined): string {
  return `digits-${job?.metadata?.uid?.replaceAll("-", "").slice(0, 5)}`;
}

function trainingJob(): string {
  const intent = {
    modelName: "digits",
    imageRepo: "registry.test/models/digits",
    storage: { localStorage: { path: "/models/digits", nodeName: NODE } },
  };
  return JSON.stringify({
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name: "train", annotations: { "model.kubedl.io/export": JSON.stringify(intent) } },
    spec: {
      template: {
        spec: {
          restartPolicy: "Never",
          containers: [{ name: "train", image: "registry.test/train:1" }],
        },
      },
    },
  });
}

function servingPod(name: string, modelVersion: string): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, annotations: { "model.kubedl.io/model-version": modelVersion } },
    spec: { containers: [{ name: "server", image: "registry.test/server:1" }] },
  });
}
