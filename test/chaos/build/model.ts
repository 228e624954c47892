import { randomBytes } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { KubeObject, PersistentVolume } from "../../../src/api/kube-types.ts";
import type { ModelVersion } from "../../../src/api/modelversion.ts";
import type { Storage } from "../../../src/api/storage.ts";
import { resources } from "../../../src/kube/resources.ts";
import { hashesIn } from "../../e2e/faults/models.ts";
import { nameOf } from "../verdict.ts";
import { create, type World } from "../world.ts";
import type { Run } from "./plan.ts";
import type { BuildWorld } from "./world.ts";

/** Directory of the node below which all models lie. */
export const MODELS = "/models/chaos";
/** Name of the user's claim of that directory, and of its volume. */
export const CLAIM = "models";

/** Models that the versions of all runs are spread over. */
const MODEL_COUNT = 5;

/** Writes random files for a run, and remembers their hashes. */
export async function writeData({ models, data }: BuildWorld, run: Run): Promise<void> {
  const directory = join(models, nameOf(run));
  for (const { path, bytes } of run.files) {
    const file = join(directory, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, randomBytes(bytes));
  }
  data.set(nameOf(run), await hashesIn(directory));
}

/** A version over the data of a run. */
export function versionOf({ cluster }: BuildWorld, run: Run, name: string): ModelVersion {
  const modelName = `chaos-${run.index % MODEL_COUNT}`;
  const imageRepo = `${cluster.registry}/chaos/${modelName}`;
  return {
    apiVersion: "model.kubedl.io/v1alpha1",
    kind: "ModelVersion",
    metadata: { name },
    spec: {
      modelName,
      imageRepo,
      storage: storageOf(run, cluster.nodeName),
      builder: { engine: run.engine },
    },
  };
}

/** Makes the user's claim. */
export async function createClaim(world: World): Promise<void> {
  const common = { storageClassName: "", accessModes: ["ReadWriteMany"] };
  const volume: PersistentVolume = {
    apiVersion: "v1",
    kind: "PersistentVolume",
    metadata: { name: CLAIM },
    spec: {
      ...common,
      capacity: { storage: "1Gi" },
      persistentVolumeReclaimPolicy: "Retain",
      hostPath: { path: MODELS },
      claimRef: { namespace: world.namespace, name: CLAIM },
    },
  };
  const claim: KubeObject & { readonly spec: object } = {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: { name: CLAIM },
    spec: { ...common, volumeName: CLAIM, resources: { requests: { storage: "1Gi" } } },
  };
  await create(world, resources.persistentvolumes, volume);
  await create(world, resources.persistentvolumeclaims, claim);
}

function storageOf(run: Run, nodeName: string): Storage {
  const name = nameOf(run);
  switch (run.storage) {
    case "localStorage":
      return { localStorage: { path: `${MODELS}/${name}`, nodeName } };
    case "persistentVolumeClaim":
      return { persistentVolumeClaim: { claimName: CLAIM, subPath: name } };
  }
}
