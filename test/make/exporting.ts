import { decideTrainingPod } from "../../src/admission/training-pod.ts";
import { ANNOTATIONS, FINALIZERS, LABELS, type ExportIntent } from "../../src/api/annotations.ts";
import { printExportRecord, type ExportRecord } from "../../src/api/export-record.ts";
import type { KubeObject, ObjectMeta } from "../../src/api/kube-types.ts";
import { BARE_POD } from "../../src/jobs/kinds.ts";
import type { OwningJob } from "../../src/jobs/owner.ts";
import { trainingClaim } from "../../src/storage/training-volume.ts";
import { makeExport } from "./export.ts";
import { frozen, type Tweak } from "./frozen.ts";
import { patched } from "./patched.ts";
import { JOB_UID, makeTrainingPod, type MadePod } from "./pod.ts";
import { makeSnapshot } from "./snapshot.ts";
import { makeJobKind } from "./workload.ts";

/** An object of any kind with the parts that every stored one has. */
export interface MadeObject extends KubeObject {
  metadata: ObjectMeta;
  spec: object;
  status?: object;
}

/** UID of the pods that `makeAdmittedPod` gives. */
export const POD_UID = "99999999-0000-0000-0000-000000000002";

const EXPORT_RECORD = "model.kubedl.io/export-record";

/** How these kinds keep the templates of a job of three pods. */
const SPECS: Readonly<Record<string, (template: object) => object>> = {
  TFJob: (template) => ({
    tfReplicaSpecs: { Chief: { replicas: 1, template }, Worker: { replicas: 2, template } },
  }),
  PyTorchJob: (template) => ({
    pytorchReplicaSpecs: { Master: { replicas: 1, template }, Worker: { replicas: 2, template } },
  }),
  JobSet: (template) => ({
    replicatedJobs: [
      { name: "launcher", replicas: 1, template: { spec: { template } } },
      { name: "workers", replicas: 2, template: { spec: { template } } },
    ],
  }),
  RayJob: (template) => ({
    rayClusterSpec: {
      headGroupSpec: { template },
      workerGroupSpecs: [{ replicas: 2, template }],
    },
  }),
};

/** A stored, running job of this kind, held by our finalizer; its templates export `intent`, or nothing where there is none. */
export function makeOwningJob(
  name: keyof typeof SPECS,
  tweak: Tweak<MadeObject> = () => {},
  options: { readonly apiVersion?: string; readonly intent?: ExportIntent | undefined } = {
    intent: makeExport(),
  },
): OwningJob & { readonly job: MadeObject } {
  const kind = makeJobKind(name, options.apiVersion);
  const annotations =
    options.intent === undefined ? {} : { [ANNOTATIONS.export]: JSON.stringify(options.intent) };
  const template = {
    metadata: { annotations },
    spec: { containers: [{ name: "trainer", image: "registry.example/trainer:1" }] },
  };
  const job: MadeObject = {
    apiVersion: `${kind.group}/${kind.version}`,
    kind: kind.kind,
    metadata: {
      name: "train",
      namespace: "team-a",
      uid: JOB_UID,
      resourceVersion: "7",
      labels: { [LABELS.export]: "true" },
      finalizers: [FINALIZERS.export],
    },
    spec: SPECS[name]?.(template) ?? {},
  };
  return { job: frozen(job, tweak), kind };
}

/** What a pod asks for, and above it what the API server shows. */
export interface Asking {
  readonly intent: ExportIntent;
  /** The binding that asks for it; the pod's own annotation does where absent. */
  readonly binding?: string;
  /** The nearest first; a pod without any is its own job. */
  readonly owners: readonly KubeObject[];
}

/** A stored pod that exports, as admission left it. */
export function makeAdmittedPod(
  { intent, binding, owners }: Asking,
  tweak: Tweak<MadePod> = () => {},
): MadePod {
  const [owner] = owners;
  const pod = makeTrainingPod((each) => {
    each.metadata.uid = POD_UID;
    each.metadata.resourceVersion = "3";
    each.metadata.annotations =
      binding === undefined ? { [ANNOTATIONS.export]: JSON.stringify(intent) } : {};
    if (owner === undefined) delete each.metadata.ownerReferences;
    else each.metadata.ownerReferences = [controllerFrom(owner)];
    tweak(each);
  });
  const decision = decideTrainingPod(
    "team-a",
    pod,
    { intent, ...(binding === undefined ? {} : { binding }) },
    makeSnapshot([], (each) => void (each.owners = owners)),
    [],
  );
  if (!decision.allowed) throw new Error(decision.message);
  return patched(pod, decision.operations);
}

/** A stored pod that is its own job. */
export function makeBarePod(tweak: Tweak<MadePod> = () => {}): OwningJob & { job: MadePod } {
  return {
    job: frozen(
      makeAdmittedPod({ intent: makeExport(), owners: [] }, (pod) => {
        pod.metadata.name = "alone";
      }),
      tweak,
    ),
    kind: BARE_POD,
  };
}

/** The same job with this record, of the claim that its pods write to. */
export function withRecord<T extends KubeObject>(job: T, record: Partial<ExportRecord>): T {
  const { namespace = "", uid = "" } = job.metadata ?? {};
  const named = { namespace, uid: job.kind === "Pod" ? "" : uid };
  const claim = trainingClaim(record.intent ?? makeExport(), named);
  const whole = { uid, claim, ...record };
  const annotations = {
    ...job.metadata?.annotations,
    [EXPORT_RECORD]: printExportRecord(whole),
  };
  return frozen({ ...job, metadata: { ...job.metadata, annotations } }, () => {});
}

function controllerFrom({ apiVersion = "", kind = "", metadata }: KubeObject) {
  return {
    apiVersion,
    kind,
    name: metadata?.name ?? "",
    uid: metadata?.uid ?? "",
    controller: true,
  };
}
