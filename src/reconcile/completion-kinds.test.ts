import { describe, expect, test } from "vitest";
import { makeSettings } from "../../test/make/build.ts";
import { makeExport } from "../../test/make/export.ts";
import { makeBarePod, makeOwningJob, withRecord } from "../../test/make/exporting.ts";
import type { Draft, Tweak } from "../../test/make/frozen.ts";
import { makeModelVersion } from "../../test/make/modelversion.ts";
import { afterPatches, messageOf, stepsOf } from "../../test/make/steps.ts";
import { LABELS } from "../api/annotations.ts";
import type { KubeObject } from "../api/kube-types.ts";
import type { ModelVersion } from "../api/modelversion.ts";
import type { OwningJob } from "../jobs/owner.ts";
import type { Action } from "./action.ts";
import { reconcileCompletion, type CompletionObserved } from "./completion.ts";

const START = "2024-01-01T00:00:00Z";
const END = "2024-01-01T01:00:00Z";
const VOLUME = { apiVersion: "v1", kind: "PersistentVolume", metadata: { name: "mh-1" } };
const CLAIM = {
  apiVersion: "v1",
  kind: "PersistentVolumeClaim",
  metadata: { name: "mh-1", namespace: "team-a" },
};

function reconcile(
  owning: OwningJob,
  tweak: Tweak<Draft<CompletionObserved>> = () => {},
): readonly Action[] {
  const observed: Draft<CompletionObserved> = {
    now: Date.UTC(2024, 0, 2),
    ...owning,
    settings: makeSettings(),
    check: undefined,
    checkPods: [],
    pods: owning.job.kind === "Pod" ? [owning.job] : [],
    volume: VOLUME,
    claim: CLAIM,
    versions: [],
  };
  tweak(observed);
  return reconcileCompletion(observed);
}

function versionOf(actions: readonly Action[]): ModelVersion | undefined {
  const made = actions.find((action) => action.type === "create");
  return made?.object as ModelVersion | undefined;
}

type Name = "TFJob" | "PyTorchJob" | "JobSet" | "RayJob" | "Pod";

/** A job of that kind with this status, as its controller writes it. */
function jobOf(name: Name, status: object, metadata: object = {}): OwningJob {
  if (name !== "Pod") {
    return makeOwningJob(name, (job) => {
      Object.assign(job, { status });
      Object.assign(job.metadata, metadata);
    });
  }
  return makeBarePod((pod) => {
    Object.assign(pod, { status });
    Object.assign(pod.metadata, metadata);
    pod.spec.nodeName = "node-1";
  });
}

function condition(type: string, lastTransitionTime = END): object {
  return { type, status: "True", lastTransitionTime };
}

const terminated = { state: { terminated: { exitCode: 0, finishedAt: END } } };

/** How each kind shows that it has succeeded, and what is known of its times then. */
const SUCCEEDED: readonly (readonly [Name, object, readonly (string | undefined)[]])[] = [
  [
    "TFJob",
    {
      conditions: [condition("Created", START), condition("Succeeded", "2024-01-01T01:00:05Z")],
      startTime: START,
      completionTime: END,
    },
    [START, END],
  ],
  ["PyTorchJob", { conditions: [condition("Succeeded")], startTime: START }, [START, END]],
  ["JobSet", { conditions: [condition("Completed")], restarts: 0 }, [undefined, END]],
  [
    "RayJob",
    { jobStatus: "SUCCEEDED", jobDeploymentStatus: "Complete", startTime: START, endTime: END },
    [START, END],
  ],
  ["Pod", { phase: "Succeeded", startTime: START, containerStatuses: [terminated] }, [START, END]],
];

describe.each(SUCCEEDED)("a %s that succeeded", (name, status, [started, completed]) => {
  const job = jobOf(name, status);
  const jobName = name === "Pod" ? "alone" : "train";

  test("becomes one ModelVersion that tells where it comes from", () => {
    const actions = reconcile(job);
    expect(stepsOf(actions)).toEqual(["create ModelVersion", `Normal Exported on ${name}`]);
    const version = versionOf(actions);
    expect(version?.spec).toMatchObject({
      modelName: "mnist",
      createdBy: `${name}/${jobName}`,
      storage: makeExport().storage,
    });
    expect(version?.metadata.labels?.[LABELS.jobUid]).toBe(job.job.metadata?.uid);
    const annotations = version?.metadata.annotations ?? {};
    expect(annotations).toMatchObject({
      "model.kubedl.io/job-kind": name,
      "model.kubedl.io/job-name": jobName,
    });
    expect([
      annotations["model.kubedl.io/started-at"],
      annotations["model.kubedl.io/completed-at"],
    ]).toEqual([started, completed]);
  });

  test("is let go once its version is seen, and its storage is dropped", () => {
    const uid = job.job.metadata?.uid ?? "";
    const version = makeModelVersion((each) => {
      each.metadata.labels = { [LABELS.jobUid]: uid };
    });
    const actions = reconcile(job, (each) => void (each.versions = [version]));
    expect(stepsOf(actions)).toEqual([
      "delete PersistentVolumeClaim",
      "delete PersistentVolume",
      `patch ${name}`,
    ]);
    expect(afterPatches<KubeObject>(job.job, actions).metadata?.finalizers).toEqual([]);
  });
});

test("a pod that is its own job tells its own node and image", () => {
  const [, status] = SUCCEEDED.find(([name]) => name === "Pod") ?? [];
  const version = versionOf(reconcile(jobOf("Pod", status ?? {})));
  expect(version?.metadata.annotations).toMatchObject({
    "model.kubedl.io/pod": "alone",
    "model.kubedl.io/node": "node-1",
    "model.kubedl.io/training-image": "registry.example/server:1",
  });
});

describe.each<[string, Name, object]>([
  ["TFJob", "TFJob", { conditions: [condition("Failed")] }],
  ["PyTorchJob", "PyTorchJob", { conditions: [condition("Failed")] }],
  ["JobSet", "JobSet", { conditions: [condition("Failed")] }],
  ["RayJob, for good,", "RayJob", { jobStatus: "FAILED", jobDeploymentStatus: "Failed" }],
  ["Pod", "Pod", { phase: "Failed" }],
])("a %s that failed", (_, name, status) => {
  test("is released with an event, and its storage is dropped", () => {
    const job = jobOf(name, status);
    const actions = reconcile(job);
    expect(stepsOf(actions)).toEqual([
      `Warning ExportSkipped on ${name}`,
      "delete PersistentVolumeClaim",
      "delete PersistentVolume",
      `patch ${name}`,
    ]);
    expect(messageOf(actions)).toBe("the job failed; its model is not exported");
    expect(afterPatches<KubeObject>(job.job, actions).metadata?.finalizers).toEqual([]);
  });
});

describe.each<[Name, object]>([
  ["TFJob", { conditions: [condition("Running")] }],
  ["PyTorchJob", { conditions: [{ type: "Succeeded", status: "False" }] }],
  ["JobSet", { conditions: [condition("StartupPolicyInProgress")] }],
  ["RayJob", { jobStatus: "SUCCEEDED", jobDeploymentStatus: "Running" }],
  ["Pod", { phase: "Running" }],
])("a %s that runs", (name, status) => {
  test("is kept", () => {
    expect(reconcile(jobOf(name, status))).toEqual([]);
  });

  test("is released with an event when it is deleted", () => {
    const actions = reconcile(jobOf(name, status, { deletionTimestamp: END }));
    expect(stepsOf(actions).at(0)).toBe(`Warning ExportSkipped on ${name}`);
    expect(stepsOf(actions).at(-1)).toBe(`patch ${name}`);
    expect(messageOf(actions)).toBe(
      "the job was deleted before it succeeded; its model is not exported",
    );
  });
});

test("a pod that somebody controls since it was held is let go with an event, since that one's job would export", () => {
  const controller = { apiVersion: "apps/v1", kind: "ReplicaSet", name: "web", uid: "web" };
  const ownerReferences = [{ ...controller, controller: true }];
  for (const phase of ["Running", "Succeeded"]) {
    const job = jobOf("Pod", { phase }, { ownerReferences });
    const actions = reconcile(job);
    expect(stepsOf(actions)).toEqual([
      "Warning ExportSkipped on Pod",
      "delete PersistentVolumeClaim",
      "delete PersistentVolume",
      "patch Pod",
    ]);
    expect(messageOf(actions)).toBe(
      "the pod has a controller now, whose job would export; its own model is not exported",
    );
    expect(afterPatches<KubeObject>(job.job, actions).metadata?.finalizers).toEqual([]);
  }
});

test("a job whose templates were changed while it ran becomes the version that they asked for before", () => {
  const { job, kind } = jobOf("TFJob", { conditions: [condition("Succeeded")] });
  const before = makeExport((each) => void (each.modelName = "before"));
  const version = versionOf(reconcile({ job: withRecord(job, { intent: before }), kind }));
  expect(version?.spec.modelName).toBe("before");
});

describe("a job that a binding let export", () => {
  const succeeded = { conditions: [condition("Succeeded")] };
  const { job, kind } = makeOwningJob(
    "TFJob",
    (each) => void Object.assign(each, { status: succeeded }),
    { intent: undefined },
  );
  const intent = makeExport((each) => {
    each.modelName = "bound";
    each.imageTag = "v7";
  });

  test("becomes the version that was noted when its pods were let go", () => {
    const noted = withRecord(job, { binding: "trainers", intent });
    const version = versionOf(reconcile({ job: noted, kind }));
    expect(version?.metadata.name).toBe("bound-11111");
    expect(version?.spec).toMatchObject({ modelName: "bound", imageTag: "v7" });
  });

  test.each([
    ["there is no record", job],
    ["the record is of a job of another UID", withRecord(job, { uid: "another", intent })],
  ])("is released when %s", (_, each) => {
    const actions = reconcile({ job: each, kind });
    expect(stepsOf(actions)).not.toContain("create ModelVersion");
    expect(messageOf(actions)).toBe(
      "the job's export annotation can not be read; its model is not exported",
    );
  });
});
