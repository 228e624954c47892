import { describe, expect, test } from "vitest";
import { FINALIZERS } from "../api/annotations.ts";
import { makePod, makeTrainingPod } from "../../test/make/pod.ts";
import { makeJob } from "../../test/make/job.ts";
import { makeJobKind } from "../../test/make/workload.ts";
import type { KubeObject } from "../api/kube-types.ts";
import { deepFreeze } from "../kube/freeze.ts";
import { BATCH_JOB, JOB_KINDS } from "./kinds.ts";
import { controllerOf, topmostJob } from "./owner.ts";

test("the controller is the owner that says so", () => {
  const pod = makeTrainingPod((each) => {
    each.metadata.ownerReferences?.unshift({ apiVersion: "v1", kind: "Pod", name: "x", uid: "x" });
  });
  expect(controllerOf(pod)?.name).toBe("train");
});

test("an object may have no controller", () => {
  expect(controllerOf(makePod())).toBeUndefined();
  expect(controllerOf({})).toBeUndefined();
  const owned = makeTrainingPod((each) => {
    each.metadata.ownerReferences?.forEach((owner) => void (owner.controller = false));
  });
  expect(controllerOf(owned)).toBeUndefined();
});

describe("the topmost job", () => {
  const job = makeJob();
  const jobSet = object("jobset.x-k8s.io/v1alpha2", "JobSet");
  const trainJob = object("trainer.kubeflow.org/v1alpha1", "TrainJob");
  const cluster = object("ray.io/v1", "RayCluster");
  const rayJob = object("ray.io/v1", "RayJob");
  const cronJob = object("batch/v1", "CronJob");

  test.each<[string, readonly KubeObject[], KubeObject, string]>([
    ["is the only one", [job], job, "Job"],
    ["is above the others", [job, jobSet, trainJob], trainJob, "TrainJob"],
    ["is the nearest, where several are held", [held(job), held(jobSet)], held(job), "Job"],
    ["is the one below that is held already", [held(job), jobSet, trainJob], held(job), "Job"],
    ["is not one that others hold", [held(job, "other"), jobSet], jobSet, "JobSet"],
    ["may stand above what is none", [cluster, rayJob], rayJob, "RayJob"],
    ["may stand below what is none", [job, cronJob], job, "Job"],
  ])("%s", (_, owners, expected, kind) => {
    expect(topmostJob(owners, JOB_KINDS)).toEqual({ job: expected, kind: makeJobKind(kind) });
  });

  test.each<[string, readonly KubeObject[]]>([
    ["there is nothing", []],
    ["nothing is known", [cluster, object("apps/v1", "ReplicaSet")]],
    ["a kind is known in another version", [object("batch/v1beta1", "Job")]],
  ])("is none where %s", (_, owners) => {
    expect(topmostJob(owners, JOB_KINDS)).toBeUndefined();
  });

  test("is of the kinds that are given", () => {
    expect(topmostJob([job, jobSet], [BATCH_JOB])).toEqual({ job, kind: BATCH_JOB });
  });
});

function held(job: KubeObject, finalizer: string = FINALIZERS.export): KubeObject {
  return deepFreeze({ ...job, metadata: { ...job.metadata, finalizers: [finalizer] } });
}

function object(apiVersion: string, kind: string): KubeObject {
  return deepFreeze({ apiVersion, kind, metadata: { name: kind } });
}
