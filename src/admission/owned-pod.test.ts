import { describe, expect, test } from "vitest";
import { makeExport } from "../../test/make/export.ts";
import type { Tweak } from "../../test/make/frozen.ts";
import { makeHeldJob, makeJob, type MadeJob } from "../../test/make/job.ts";
import { patched } from "../../test/make/patched.ts";
import { JOB_UID, makePod, type MadePod } from "../../test/make/pod.ts";
import { makeSnapshot } from "../../test/make/snapshot.ts";
import {
  ANNOTATIONS,
  EXPORT_RECORD,
  FINALIZERS,
  LABELS,
  type ExportIntent,
} from "../api/annotations.ts";
import { printExportRecord } from "../api/export-record.ts";
import type { KubeObject, ObjectMeta } from "../api/kube-types.ts";
import { trainingClaimName } from "../api/names.ts";
import type { Reason } from "../api/reasons.ts";
import type { ExportAsked } from "../inject/intent.ts";
import { JOB_KINDS, kindNames } from "../jobs/kinds.ts";
import { deepFreeze } from "../kube/freeze.ts";
import type { Decision } from "./decision.ts";
import { decideTrainingPod } from "./training-pod.ts";

const CLAIM = trainingClaimName("team-a", JOB_UID, "local:node-1:/models/mnist");
const FIELD = "metadata.annotations[model.kubedl.io/export]";
const ASKED: ExportAsked = { intent: makeExport() };
const BOUND: ExportAsked = { intent: makeExport(), binding: "exports" };
const KNOWN = kindNames(JOB_KINDS);

const TFJOB_SPEC = {
  tfReplicaSpecs: { Chief: { template: {} }, Worker: { replicas: 2, template: {} } },
};
const TFJOB = owner("kubeflow.org/v1", "TFJob", JOB_UID, TFJOB_SPEC);

function owner(
  apiVersion: string,
  kind: string,
  uid: string,
  spec: object = {},
  about: ObjectMeta = {},
): KubeObject {
  const metadata = { name: kind.toLowerCase(), namespace: "team-a", uid, ...about };
  return deepFreeze({ apiVersion, kind, metadata, spec } as KubeObject);
}

/** A stored Job whose template asks for nothing, so that a binding may. */
function silentJob(tweak: Tweak<MadeJob> = () => {}): MadeJob {
  return makeHeldJob((job) => {
    job.spec.template.metadata.annotations = {};
    tweak(job);
  });
}

/** A pod of that controller, labelled by it; of none where there is none. */
function podOf(of: KubeObject | undefined, labels: Record<string, string> = {}): MadePod {
  return makePod((pod) => {
    pod.metadata.labels = labels;
    const { apiVersion = "", kind = "", metadata } = of ?? {};
    const { name = "", uid = "" } = metadata ?? {};
    if (of !== undefined) {
      pod.metadata.ownerReferences = [{ apiVersion, kind, name, uid, controller: true }];
    }
  });
}

/** What is said to pods of a binding that belong to something unknown. */
function unknown(kind: string, apiVersion: string): string {
  return `exports what jobs write; the pod belongs to a ${kind} (${apiVersion}), whose success is not known`;
}

function decide(pod: MadePod, owners: readonly KubeObject[], asked: ExportAsked = ASKED): Decision {
  const snapshot = makeSnapshot([], (each) => void (each.owners = owners));
  return decideTrainingPod("team-a", pod, asked, snapshot, []);
}

function hooked(pod: MadePod, owners: readonly KubeObject[], asked?: ExportAsked): MadePod {
  const decision = decide(pod, owners, asked);
  if (!decision.allowed) throw new Error(decision.message);
  expect(decision.reason).toBe("ExportHooked");
  const stored = deepFreeze(patched(pod, decision.operations));
  expect(decide(stored, owners, asked)).toMatchObject({ allowed: true, operations: [] });
  return stored;
}

/** The claim that the pod writes to; undefined for one that writes to scratch space. */
function claimOf({ spec }: MadePod): string | undefined {
  return spec.volumes?.[0]?.persistentVolumeClaim?.claimName;
}

function replica(type: string, index: number): MadePod {
  return podOf(TFJOB, {
    "training.kubeflow.org/replica-type": type,
    "training.kubeflow.org/replica-index": String(index),
  });
}

/** Labels of the pod of that index in the Job of that index of a JobSet. */
function indexes(job: number, index: number): Record<string, string> {
  return {
    "jobset.sigs.k8s.io/replicatedjob-name": "workers",
    "jobset.sigs.k8s.io/job-index": String(job),
    "batch.kubernetes.io/job-completion-index": String(index),
  };
}

describe("of a TFJob", () => {
  test.each([
    ["chief", 0, CLAIM],
    ["worker", 0, undefined],
    ["worker", 1, undefined],
  ])("%s %i writes to %s", (type, index, claim) => {
    const { metadata, spec } = hooked(replica(type, index), [TFJOB]);
    expect(claimOf({ metadata, spec })).toBe(claim);
    expect(metadata.labels).toMatchObject({ [LABELS.export]: "true", [LABELS.jobUid]: JOB_UID });
    expect(metadata.finalizers).toBeUndefined();
    expect(spec.schedulingGates).toEqual([{ name: "model.kubedl.io/export" }]);
  });

  test("all write, where all are to", () => {
    const intent = makeExport((each) => {
      each.writers = "all";
      each.storage = { persistentVolumeClaim: { claimName: "models" } };
    });
    expect(claimOf(hooked(replica("worker", 1), [TFJOB], { intent }))).toBe("models");
  });
});

describe("of a JobSet", () => {
  const jobSet = owner("jobset.x-k8s.io/v1alpha2", "JobSet", JOB_UID, {
    replicatedJobs: [{ name: "workers", replicas: 2, template: { spec: { template: {} } } }],
  });
  const child = makeJob((job) => {
    job.metadata.uid = "child";
    job.spec.completionMode = "Indexed";
    job.spec.parallelism = 2;
  });
  test.each([
    [0, 0, CLAIM],
    [0, 1, undefined],
    [1, 0, undefined],
  ])("the pod %i of Job %i writes to %s, by the JobSet's UID", (job, index, claim) => {
    const pod = hooked(podOf(child, indexes(job, index)), [child, jobSet]);
    expect(claimOf(pod)).toBe(claim);
    expect(pod.metadata.labels?.[LABELS.jobUid]).toBe(JOB_UID);
  });

  test("a clean directory is named by the JobSet", () => {
    const intent = makeExport((each) => void (each.clean = true));
    const { spec } = hooked(podOf(child, indexes(0, 0)), [child, jobSet], { intent });
    expect(spec.containers[0].volumeMounts).toMatchObject([{ subPath: "mnist/1111111122" }]);
  });

  test("a pod of a Job that has no first pod is denied, for all would write", () => {
    const plain = makeJob((job) => {
      job.metadata.uid = "child";
      job.spec.parallelism = 2;
    });
    expect(decide(podOf(plain, indexes(0, 0)), [plain, jobSet])).toMatchObject({
      allowed: false,
      reason: "AllWritersRequired",
      causes: [
        {
          field: `${FIELD}.writers`,
          message:
            'must be "all": several pods of the Job run and none of them is the first; or set completionMode: Indexed, so that index 0 writes',
        },
      ],
    });
    const intent = makeExport((each) => {
      each.writers = "all";
      each.storage = { persistentVolumeClaim: { claimName: "models" } };
    });
    expect(claimOf(hooked(podOf(plain, indexes(0, 0)), [plain, jobSet], { intent }))).toBe(
      "models",
    );
  });
});

describe("a pod without a controller is its own job:", () => {
  test("it is held, and its claim is named without a UID", () => {
    const { metadata, spec } = hooked(podOf(undefined), []);
    expect(metadata.finalizers).toEqual([FINALIZERS.export]);
    expect(metadata.labels).toEqual({ [LABELS.export]: "true" });
    expect(claimOf({ metadata, spec })).toBe(
      trainingClaimName("team-a", "", "local:node-1:/models/mnist"),
    );
    expect(spec.schedulingGates).toEqual([{ name: "model.kubedl.io/export" }]);
  });

  test("an owner that does not control it is none", () => {
    const pod = makePod((each) => {
      each.metadata.ownerReferences = [{ apiVersion: "v1", kind: "X", name: "x", uid: "x" }];
    });
    expect(hooked(pod, []).metadata.finalizers).toEqual([FINALIZERS.export]);
  });

  test("a clean directory has nothing to be named by", () => {
    const intent = makeExport((each) => void (each.clean = true));
    expect(decide(podOf(undefined), [], { intent })).toMatchObject({
      allowed: false,
      reason: "InvalidAnnotation",
      message: `${FIELD}.clean: true is not allowed on a pod without a job: its directory is named by the job`,
    });
    const unclean = makeExport((each) => void (each.clean = false));
    hooked(podOf(undefined), [], { intent: unclean });
  });
});

test("a pod without a controller that always starts again never succeeds: it is denied, or left alone by a binding", () => {
  const pod = makePod((each) => void Object.assign(each.spec, { restartPolicy: "Always" }));
  const message = `the pod has no job, and restartPolicy Always, so that it never succeeds; use Never or OnFailure`;
  expect(decide(pod, [])).toMatchObject({
    allowed: false,
    reason: "UnknownJobKind",
    message: `${FIELD}: ${message}`,
  });
  expect(decide(pod, [], BOUND)).toMatchObject({
    allowed: true,
    reason: "NotOurs",
    operations: [],
  });
});

describe("a pod for which a binding asks", () => {
  test("gets what is asked for as its annotation, and the binding's name", () => {
    const { metadata } = hooked(podOf(TFJOB), [TFJOB], BOUND);
    expect(metadata.annotations).toEqual({
      [ANNOTATIONS.export]: JSON.stringify(BOUND.intent),
      [ANNOTATIONS.status]: JSON.stringify({ writes: "scratch", binding: "exports" }),
    });
    expect(metadata.labels).toMatchObject({ [LABELS.export]: "true", [LABELS.jobUid]: JOB_UID });
  });

  test("is denied for what the binding says, at the binding", () => {
    const intent = makeExport((each) => {
      each.storage = { localStorage: { path: "/etc", nodeName: "node-1" } };
    });
    expect(decide(podOf(TFJOB), [TFJOB], { ...BOUND, intent })).toMatchObject({
      allowed: false,
      message:
        'ModelBinding exports: spec.export.storage.localStorage.path: "/etc" is not allowed: allowed are directories below /models',
    });
  });

  const clean = makeExport((each) => void (each.clean = true));
  const plain = silentJob((job) => void (job.spec.parallelism = 2));
  const says = makeHeldJob();

  test.each<[string, KubeObject | undefined, readonly KubeObject[], Reason, string, ExportIntent?]>(
    [
      ...["ReplicaSet", "StatefulSet", "DaemonSet"].map(
        (kind): [string, KubeObject, readonly KubeObject[], Reason, string] => [
          `belongs to a ${kind}`,
          owner("apps/v1", kind, "1"),
          [],
          "UnknownJobKind",
          unknown(kind, "apps/v1"),
        ],
      ),
      [
        "belongs to something unknown",
        owner("batch.example/v1", "Run", "1"),
        [],
        "UnknownJobKind",
        unknown("Run", "batch.example/v1"),
      ],
      [
        "belongs to a job that does not exist",
        TFJOB,
        [],
        "UnknownJobKind",
        "the pod belongs to the TFJob tfjob, which does not exist",
      ],
      [
        "is none of a Job's that is the first",
        plain,
        [plain],
        "AllWritersRequired",
        'writers: must be "all": several pods of the Job run and none of them is the first; or set completionMode: Indexed, so that index 0 writes',
      ],
      [
        "has no job that could name a clean directory",
        undefined,
        [],
        "InvalidAnnotation",
        "clean: true is not allowed on a pod without a job: its directory is named by the job",
        clean,
      ],
      [
        "belongs to a job that says itself which pods export",
        says,
        [says],
        "ContradictingAnnotations",
        "Job train says itself which of its pods export",
      ],
    ],
  )(
    "and which %s, is left alone with a warning",
    (_, of, owners, reason, message, intent = BOUND.intent) => {
      const field = /^(?:writers|clean): /v.test(message) ? "spec.export." : "spec.export: ";
      expect(decide(podOf(of), owners, { ...BOUND, intent })).toEqual({
        allowed: true,
        reason: "NotOurs",
        operations: [],
        warnings: [
          {
            reason,
            message: `ModelBinding exports: ${field}${message}; left as it is, its model is not exported`,
          },
        ],
      });
    },
  );
});

describe("a pod is denied that belongs to", () => {
  test.each([
    ["apps/v1", "ReplicaSet"],
    ["batch.example/v1", "Run"],
    ["kubeflow.org/v1beta1", "TFJob"],
  ])("an object of %s that is no job: %s", (apiVersion, kind) => {
    expect(decide(podOf(owner(apiVersion, kind, "1")), [])).toMatchObject({
      allowed: false,
      reason: "UnknownJobKind",
      message: `${FIELD}: the pod belongs to a ${kind} (${apiVersion}), whose success is not known; it must belong to one of ${KNOWN}, or to nothing`,
    });
  });

  test("a job that does not exist", () => {
    expect(decide(podOf(TFJOB), [])).toMatchObject({
      allowed: false,
      reason: "UnknownJobKind",
      message: `${FIELD}: the pod belongs to the TFJob tfjob, which does not exist`,
    });
  });
});

describe("a pod that comes when its job was let go", () => {
  const record = { uid: JOB_UID, claim: CLAIM };
  const letGo = (about: object = {}, finalizers = [FINALIZERS.export]): KubeObject =>
    makeHeldJob((job) => {
      job.metadata.finalizers = finalizers;
      job.metadata.annotations = { [EXPORT_RECORD]: printExportRecord({ ...record, ...about }) };
    });

  test("is not held back", () => {
    const job = letGo();
    const { spec } = hooked(podOf(job), [job]);
    expect(spec.schedulingGates).toBeUndefined();
    expect(claimOf({ metadata: {}, spec })).toBe(CLAIM);
  });

  test("gets what the binding asked for then, whatever it asks for now", () => {
    const bound = letGo({ binding: "exports", intent: makeExport() });
    const job = silentJob((each) => void (each.metadata = { ...bound.metadata }));
    const other = makeExport((intent) => {
      intent.storage = { localStorage: { path: "/models/other", nodeName: "node-1" } };
    });
    const pod = hooked(podOf(job), [job], { intent: other, binding: "exports" });
    expect(claimOf(pod)).toBe(CLAIM);
    expect(pod.spec.schedulingGates).toBeUndefined();
    expect(pod.metadata.annotations?.[ANNOTATIONS.export]).toBe(JSON.stringify(makeExport()));
  });

  test("gets what its job was let go for, though the template that it comes from was changed", () => {
    const job = owner("kubeflow.org/v1", "TFJob", JOB_UID, TFJOB_SPEC, {
      finalizers: [FINALIZERS.export],
      annotations: { [EXPORT_RECORD]: printExportRecord({ ...record, intent: makeExport() }) },
    });
    const intent = makeExport((each) => {
      each.storage = { localStorage: { path: "/models/other", nodeName: "node-1" } };
    });
    const pod = hooked(replica("chief", 0), [job], { intent });
    expect(claimOf(pod)).toBe(CLAIM);
    expect(pod.spec.schedulingGates).toBeUndefined();
    expect(pod.metadata.annotations).toEqual({
      [ANNOTATIONS.export]: JSON.stringify(makeExport()),
      [ANNOTATIONS.status]: JSON.stringify({ writes: CLAIM }),
    });
  });

  test.each<[string, KubeObject]>([
    ["by the record of another job", letGo({ uid: "another" })],
    ["for another claim", letGo({ claim: "mh-1" })],
    ["and is held no more", letGo({}, [])],
  ])("%s waits behind the gate", (_, job) => {
    expect(hooked(podOf(job), [job]).spec.schedulingGates).toEqual([
      { name: "model.kubedl.io/export" },
    ]);
  });

  test("waits behind the gate when the record is on a job below", () => {
    const child = letGo({}, []);
    const top = owner("jobset.x-k8s.io/v1alpha2", "JobSet", "top");
    expect(hooked(podOf(child), [child, top]).spec.schedulingGates).toHaveLength(1);
  });

  test("is not held back when an earlier release let go a job below", () => {
    const child = letGo();
    const top = owner("jobset.x-k8s.io/v1alpha2", "JobSet", "top");
    const { metadata, spec } = hooked(podOf(child), [child, top]);
    expect(spec.schedulingGates).toBeUndefined();
    expect(metadata.labels?.[LABELS.jobUid]).toBe(JOB_UID);
  });
});
