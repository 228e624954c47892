import { describe, expect, test } from "vitest";
import { makeExport } from "../../test/make/export.ts";
import { makeAdmittedPod, makeBarePod, makeOwningJob } from "../../test/make/exporting.ts";
import type { Draft, Tweak } from "../../test/make/frozen.ts";
import { makeHeldJob } from "../../test/make/job.ts";
import { makeLimits } from "../../test/make/limits.ts";
import { JOB_UID, type MadePod } from "../../test/make/pod.ts";
import { afterPatches, messageOf, stepsOf } from "../../test/make/steps.ts";
import { exportRecordOf } from "../api/export-record.ts";
import type { KubeObject } from "../api/kube-types.ts";
import type { OwningJob } from "../jobs/owner.ts";
import { reconcileExportingPod, type ExportingPodObserved } from "./export-gate.ts";
import { exportClaimOf } from "./location.ts";

const INTENT = makeExport();
const LABELS_OF: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  TFJob: {
    "training.kubeflow.org/replica-type": "chief",
    "training.kubeflow.org/replica-index": "0",
  },
  JobSet: { "jobset.sigs.k8s.io/replicatedjob-name": "launcher" },
  RayJob: { "ray.io/node-type": "head" },
};

/** The Job that a JobSet makes, which stands between it and its pods. */
const CHILD = makeHeldJob((job) => {
  job.metadata = { name: "train-launcher-0", namespace: "team-a", uid: "uid-of-child" };
});

function observe(
  pod: MadePod,
  owning: OwningJob,
  tweak: Tweak<Draft<ExportingPodObserved>> = () => {},
): ExportingPodObserved {
  const observed: Draft<ExportingPodObserved> = {
    pod,
    owning,
    limits: makeLimits(),
    hostname: "node-1.example",
    volume: undefined,
    claim: undefined,
    users: [],
    noted: undefined,
  };
  tweak(observed);
  return observed;
}

function ownersOf(owning: OwningJob): readonly KubeObject[] {
  return owning.job.kind === "JobSet" ? [CHILD, owning.job] : [owning.job];
}

function writerOf(owning: OwningJob, binding?: string): MadePod {
  const asking = { intent: INTENT, owners: ownersOf(owning) };
  return makeAdmittedPod({ ...asking, ...(binding === undefined ? {} : { binding }) }, (pod) => {
    pod.metadata.labels = { ...LABELS_OF[owning.job.kind ?? ""] };
  });
}

describe.each([
  ["TFJob", "chief 0"],
  ["JobSet", "index 0 of launcher"],
  ["RayJob", "head"],
] as const)("the pods of a %s", (name, writer) => {
  const owning = makeOwningJob(name, (job) => void (job.metadata.annotations = { app: "train" }));

  test("start once it is noted on it that they were let go, and who writes is said on it", () => {
    const pod = writerOf(owning);
    const actions = reconcileExportingPod(observe(pod, owning));
    expect(stepsOf(actions)).toEqual([
      "create PersistentVolume",
      "create PersistentVolumeClaim",
      `patch ${name}`,
      "patch Pod",
      `Warning WriterSubset on ${name}`,
    ]);
    expect(messageOf(actions)).toBe(
      `1 of 3 pods writes the model (${writer}); what the others write to the same path is dropped, and may be no more than 10Gi`,
    );
    expect(exportRecordOf(afterPatches(owning.job, actions))).toEqual({
      uid: JOB_UID,
      claim: exportClaimOf(pod),
      intent: INTENT,
    });
    expect(afterPatches(owning.job, actions).metadata.annotations).toMatchObject({ app: "train" });
  });

  test("have a claim that goes with it", () => {
    const actions = reconcileExportingPod(observe(writerOf(owning), owning));
    const { apiVersion, kind } = owning.job;
    const made = actions.flatMap((action) => (action.type === "create" ? [action.object] : []));
    expect(made.at(1)?.metadata?.ownerReferences).toEqual([
      { apiVersion, kind, name: "train", uid: JOB_UID },
    ]);
  });
});

describe("a pod that is its own job", () => {
  test("starts, with the record on itself", () => {
    const owning = makeBarePod();
    const actions = reconcileExportingPod(observe(owning.job, owning));
    expect(stepsOf(actions)).toEqual([
      "create PersistentVolume",
      "create PersistentVolumeClaim",
      "patch Pod",
      "patch Pod",
    ]);
    const after = afterPatches(owning.job, actions);
    expect(exportRecordOf(after)).toEqual({
      uid: owning.job.metadata.uid,
      claim: exportClaimOf(owning.job),
      intent: INTENT,
    });
    expect(after.spec.schedulingGates).toEqual([]);
  });

  test("is left alone once it has ended", () => {
    const owning = makeBarePod((pod) => void (pod.status = { phase: "Succeeded" }));
    expect(reconcileExportingPod(observe(owning.job, owning))).toEqual([]);
  });
});

describe("a pod that a binding lets export", () => {
  const owning = makeOwningJob("TFJob", () => {}, { intent: undefined });

  test("starts by what it was told, and the job remembers that with the binding's name", () => {
    const pod = writerOf(owning, "trainers");
    const actions = reconcileExportingPod(observe(pod, owning));
    expect(stepsOf(actions).slice(0, 2)).toEqual([
      "create PersistentVolume",
      "create PersistentVolumeClaim",
    ]);
    // A job without annotations gets the whole map, which somebody else may have made meanwhile.
    expect(exportRecordOf(afterPatches(owning.job, actions))).toEqual({
      uid: JOB_UID,
      claim: exportClaimOf(pod),
      binding: "trainers",
      intent: INTENT,
    });
  });

  test("waits for ever when a pod of its job was let go to write elsewhere", () => {
    const elsewhere = makeExport((each) => {
      each.storage = { persistentVolumeClaim: { claimName: "first" } };
    });
    const first = makeAdmittedPod({ intent: elsewhere, binding: "trainers", owners: [owning.job] });
    const actions = reconcileExportingPod(
      observe(first, owning, (each) => void (each.claim = { metadata: { name: "first" } })),
    );
    const job = afterPatches(owning.job, actions);
    const second = reconcileExportingPod(
      observe(writerOf(owning, "trainers"), { ...owning, job }, (each) => {
        each.claim = { metadata: { name: "first" } };
      }),
    );
    expect(stepsOf(second)).toEqual(["Warning InvalidAnnotation on Pod"]);
    expect(messageOf(second)).toMatch(
      /^waits for ever: it writes to the claim mh-[0-9a-f]{16}, and what its job exports now lies in first; delete the pod/,
    );
  });
});
