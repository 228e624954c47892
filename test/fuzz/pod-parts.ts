import { EXPORT_VOLUME } from "../../src/inject/completion-hook.ts";
import { ENV } from "../../src/inject/env.ts";
import { LOADER, MODEL_VOLUME, NO_TOKEN_VOLUME } from "../../src/inject/init-container.ts";
import { DIGEST } from "../make/modelversion.ts";
import { JOB_UID } from "../make/pod.ts";
import type { Random } from "./random.ts";
import { withField, type Fields } from "./tree.ts";

/** Names of containers and volumes: the reserved ones, those that the seeds have, and some that are none. */
const NAMES: readonly string[] = [
  LOADER,
  MODEL_VOLUME,
  NO_TOKEN_VOLUME,
  EXPORT_VOLUME,
  `${LOADER}-2`,
  `${MODEL_VOLUME}-2`,
  ..."server sidecar trainer init Ab_ __proto__".split(" "),
  "",
];
const PATHS: readonly string[] = [
  ..."/kubedl-model /kubedl-model/ //kubedl-model /kubedl-model/sub kubedl-model /".split(" "),
  ..."/a/../kubedl-model /models /models/mnist /kubedl-volume".split(" "),
  "/var/run/secrets/kubernetes.io/serviceaccount",
];
const SUB_PATHS: readonly unknown[] = ["model", "kubedl-model", "..", "", null];
const QUANTITIES: readonly unknown[] = [
  ..."0 1 100m 1Gi 1.5Gi 64Mi 1e3 1E 9Ei -1 1e400 .5 1. 0x1 1gi ９ NaN".split(" "),
  "1 Gi",
  "",
  7,
  null,
];
const RESOURCES = ["cpu", "memory", "ephemeral-storage", "example.com/gpu", "__proto__"] as const;
const SOURCES: readonly object[] = [
  { emptyDir: {} },
  { emptyDir: { sizeLimit: "10Gi" } },
  { persistentVolumeClaim: { claimName: "models" } },
  { image: { reference: `registry.example/models/mnist@${DIGEST}` } },
  { image: { reference: "registry.example/models/mnist:v1" } },
  { hostPath: { path: "/" } },
  {},
];
const OWNERS: readonly object[] = [
  { apiVersion: "batch/v1", kind: "Job", name: "train", uid: JOB_UID, controller: true },
  { apiVersion: "batch/v1", kind: "Job", name: "train", uid: JOB_UID },
  { apiVersion: "apps/v1", kind: "ReplicaSet", name: "web-1", uid: "r", controller: true },
  { apiVersion: "kubeflow.org/v1", kind: "TFJob", name: "train", uid: "t", controller: true },
  { apiVersion: "constructor", kind: "__proto__", name: "", uid: "", controller: true },
];
const TERMS: readonly object[] = [
  {},
  { matchExpressions: [{ key: "kubernetes.io/hostname", operator: "In", values: ["node-1"] }] },
  { matchExpressions: [{ key: "size", operator: "Gt", values: ["9".repeat(70)] }] },
  { matchExpressions: [{ key: "constructor", operator: "Exists" }] },
  { matchExpressions: [{ key: "a", operator: "?", values: null }] },
  { matchFields: [{ key: "metadata.name", operator: "NotIn", values: ["node-2"] }] },
];

/** A name that a container or volume may have. */
export function anyName(random: Random): string {
  return random.pick(NAMES);
}

/** An init container, seldom a sidecar. */
export function anyInitContainer(random: Random): Fields {
  const restartPolicy = random.chance(0.3) ? { restartPolicy: "Always" } : {};
  const mounts = random.chance(0.5) ? { volumeMounts: [anyMount(random)] } : {};
  return { name: anyName(random), image: "i", ...mounts, ...restartPolicy };
}

/** A mount at a path that is, or is near, one of ours. */
export function anyMount(random: Random): Fields {
  const subPath = random.chance(0.3) ? { subPath: random.pick(SUB_PATHS) } : {};
  return { name: anyName(random), mountPath: random.pick(PATHS), ...subPath };
}

/** A variable, mostly one of ours. */
export function anyVariable(random: Random): Fields {
  return { name: random.pick([...Object.values(ENV), "A"]), value: "x" };
}

/** A volume. */
export function anyVolume(random: Random): Fields {
  return { name: anyName(random), ...random.pick(SOURCES) };
}

/** Requests, limits or both, of one resource each. */
export function anyResources(random: Random): Fields {
  const list = (): Fields => withField({}, random.pick(RESOURCES), random.pick(QUANTITIES));
  return random.pick([
    { limits: list() },
    { requests: list() },
    { limits: list(), requests: list() },
  ]);
}

/** An owner of a pod. */
export function anyOwner(random: Random): object {
  return random.pick(OWNERS);
}

/** What the scheduler holds nodes against. */
export function anyAffinity(random: Random): Fields {
  const nodeSelectorTerms = [random.pick(TERMS), random.pick(TERMS)];
  return {
    nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } },
  };
}
