import type { ControlPlane } from "../../deploy/local/control-plane.ts";
import { EXPORT_RECORD, FINALIZERS, LABELS } from "../../src/api/annotations.ts";
import type { KubeObject, Pod } from "../../src/api/kube-types.ts";
import type { ModelVersion } from "../../src/api/modelversion.ts";
import type { JobKind } from "../../src/jobs/job-kind.ts";
import { EXPORT_VOLUME } from "../../src/inject/completion-hook.ts";
import { eventually, list } from "./kubelet.ts";

/** A node that models are written on; tests make it. */
export const NODE = "node-1";

/** What an export asks for whose model lies below /models on a node. */
export function exportOf(modelName: string, parts: object = {}) {
  const storage = { localStorage: { path: `/models/${modelName}`, nodeName: NODE } };
  return { modelName, imageRepo: `registry.test/models/${modelName}`, storage, ...parts };
}

/** The annotation that asks for it. */
export function asking(intent: object): Readonly<Record<string, string>> {
  return { "model.kubedl.io/export": JSON.stringify(intent) };
}

/** The template of pods that train. */
export function trainingTemplate(metadata: object = {}) {
  const containers = [{ name: "train", image: "registry.test/train:1" }];
  return { metadata, spec: { restartPolicy: "Never", containers } };
}

/** A batch/v1 Job. */
export function jobOf(name: string, metadata: object = {}, template = trainingTemplate()) {
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name, ...metadata },
    spec: { template },
  };
}

/** The first pod of a batch/v1 Job, once it is there. */
export async function podOf(plane: ControlPlane, job: string): Promise<Pod> {
  return eventually(`a pod of ${job}`, async () => {
    const [pod] = await list<Pod>(plane, "pods", `batch.kubernetes.io/job-name=${job}`);
    return pod;
  });
}

/** Names of the scheduling gates that hold a pod. */
export function gatesOf(pod: Pod | undefined): readonly string[] {
  return (pod?.spec?.schedulingGates ?? []).map(({ name }) => name);
}

/** What a pod writes its model to: a claim, or `scratch`; undefined for a pod that is left alone. */
export function placeOf({ spec }: Pod): string | undefined {
  const volume = spec?.volumes?.find(({ name }) => name === EXPORT_VOLUME);
  return volume?.persistentVolumeClaim?.claimName ?? (volume?.emptyDir && "scratch");
}

/** A variable of a pod's first container. */
export function variableOf({ spec }: Pod, variable: string): string | undefined {
  return spec?.containers[0]?.env?.find(({ name }) => name === variable)?.value;
}

/** What the controller noted on a job. */
export function recordOf(job: KubeObject | undefined): unknown {
  const text = job?.metadata?.annotations?.[EXPORT_RECORD];
  return text === undefined ? undefined : JSON.parse(text);
}

/** True while a job is kept for its model. */
export function isKept(job: KubeObject | undefined): boolean {
  return job?.metadata?.finalizers?.includes(FINALIZERS.export) === true;
}

/** The versions that came of a job. */
export async function versionsOf(
  plane: ControlPlane,
  job: KubeObject | undefined,
): Promise<readonly ModelVersion[]> {
  return list<ModelVersion>(plane, "modelversions", `${LABELS.jobUid}=${job?.metadata?.uid}`);
}

/** The name of a job's version, where nobody has it. */
export function versionNameOf(modelName: string, job: KubeObject | undefined): string {
  return `${modelName}-${job?.metadata?.uid?.replaceAll("-", "").slice(0, 5)}`;
}

/** The one version of a job that has succeeded, once the job is let go; both may be asked for without an end. */
export async function exportedBy(
  plane: ControlPlane,
  job: KubeObject | undefined,
  live: () => Promise<KubeObject | undefined>,
): Promise<ModelVersion> {
  await eventually(`${job?.metadata?.name} is let go`, async () => !isKept(await live()));
  const versions = await versionsOf(plane, job);
  const [version] = versions;
  if (version === undefined || versions.length > 1) {
    throw new Error(`${job?.metadata?.name} has ${versions.length} versions`);
  }
  return eventually(`${version.metadata.name} is let go`, async () => {
    const [one] = await versionsOf(plane, job);
    return one !== undefined && !isKept(one) ? one : undefined;
  });
}

/** Installs a kind of jobs that anything can be said in, as its operator would. */
export async function installKind(
  plane: ControlPlane,
  { group, version, kind, plural }: Pick<JobKind, "group" | "version" | "kind" | "plural">,
): Promise<void> {
  const schema = { type: "object", "x-kubernetes-preserve-unknown-fields": true };
  const crd = {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: "Namespaced",
      names: { kind, plural, singular: kind.toLowerCase(), listKind: `${kind}List` },
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          schema: { openAPIV3Schema: schema },
          subresources: { status: {} },
        },
      ],
    },
  };
  await plane.kubectl(["create", "--filename", "-"], JSON.stringify(crd));
  const established = ["--for=condition=Established", "crd", crd.metadata.name, "--timeout=30s"];
  await plane.kubectl(["wait", ...established]);
}

/** Says a status, as the operator of an object would. */
export async function say(
  plane: ControlPlane,
  resource: string,
  name: string,
  status: object,
): Promise<void> {
  const flags = ["--subresource=status", "--type=merge", "--patch", JSON.stringify({ status })];
  await plane.kubectl(["patch", resource, name, ...flags]);
}

/** The reference by which an object is controlled. */
export function ownedBy({ apiVersion, kind, metadata }: KubeObject) {
  const { name = "", uid = "" } = metadata ?? {};
  return { ownerReferences: [{ apiVersion, kind, name, uid, controller: true }] };
}
