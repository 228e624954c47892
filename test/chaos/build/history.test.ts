import { describe, expect, test } from "vitest";
import { LABELS } from "../../../src/api/annotations.ts";
import type { KubeObject, Pod } from "../../../src/api/kube-types.ts";
import type { Model } from "../../../src/api/model.ts";
import type { ModelVersion, ModelVersionStatus } from "../../../src/api/modelversion.ts";
import { createRecorder, isEnded } from "./history.ts";

const LABELLED = { [LABELS.versionUid]: "version-uid" };

function makeVersion(status: ModelVersionStatus = {}, uid = "version-uid"): ModelVersion {
  const metadata = { uid, name: "run-1", creationTimestamp: "2026-01-01T00:00:00Z" };
  const storage = { persistentVolumeClaim: { claimName: "models" } };
  return { metadata, spec: { modelName: "digits", imageRepo: "registry/digits", storage }, status };
}

function makePod(more: object = {}): Pod {
  const containers = [{ name: "verify", args: ["verify-image", "--source=/source"] }];
  const initContainers = [
    { name: "source", args: ["stage-source"] },
    { name: "kaniko", args: ["--context=dir:///workspace"] },
  ];
  const metadata = { uid: "pod-uid", name: "pod", labels: LABELLED, ...more };
  return { metadata, spec: { initContainers, containers } };
}

function makeModel(modelVersion: string): Model {
  const latestVersion = { modelVersion, imageName: "registry/digits:v1" };
  return { metadata: { uid: "model-uid", name: "digits" }, status: { latestVersion } };
}

describe("the observer's memory of a build", () => {
  test("keeps every digest that was recorded, and that one went", () => {
    const history = createRecorder(() => 0);
    for (const digest of [undefined, "sha256:1", "sha256:1", "sha256:2", undefined, undefined])
      history.version({
        type: "added",
        object: makeVersion(digest === undefined ? {} : { digest }),
      });
    const seen = history.versions.get("version-uid");
    expect(seen?.digests).toEqual(["sha256:1", "sha256:2", "none"]);
  });

  test("keeps that a version was built, and its image, though it goes", () => {
    const history = createRecorder(() => 0);
    const image = "registry/digits:v1";
    const built = makeVersion({ imageBuildPhase: "ImageBuildSucceeded", image });
    history.version({ type: "added", object: built });
    expect(history.versions.get("version-uid")).toMatchObject({ built: true, gone: false });
    history.version({ type: "deleted", object: makeVersion() });
    const seen = history.versions.get("version-uid");
    expect(seen).toMatchObject({ built: true, gone: true, image, model: "digits" });
    expect(seen !== undefined && isEnded(seen)).toBe(true);
  });

  test("takes a version that is made again under its name for another", () => {
    const history = createRecorder(() => 0);
    for (const uid of ["first", "second"])
      history.version({ type: "added", object: makeVersion({ digest: `sha256:${uid}` }, uid) });
    expect([...history.versions.values()].map(({ digests }) => digests.length)).toEqual([1, 1]);
  });

  test("knows which Jobs and pods are there, and how their processes are told", () => {
    const history = createRecorder(() => 0);
    const job: KubeObject = { metadata: { uid: "job-uid", name: "job", labels: LABELLED } };
    history.job({ type: "added", object: job });
    history.pod({ type: "added", object: makePod() });
    const marks = ["stage-source", "--context=dir:///workspace", "verify-image"];
    const pod = { uid: "pod-uid", name: "pod", versionUid: "version-uid", deleted: false, marks };
    expect([...history.pods.values()]).toEqual([pod]);
    expect([...history.jobs.values()]).toEqual([{ name: "job", versionUid: "version-uid" }]);
    history.pod({
      type: "added",
      object: makePod({ deletionTimestamp: "2026-01-01T00:00:00Z" }),
    });
    expect(history.pods.get("pod-uid")?.deleted).toBe(true);
    history.pod({ type: "deleted", object: makePod() });
    history.job({ type: "deleted", object: job });
    expect([history.pods.size, history.jobs.size]).toEqual([0, 0]);
  });

  test("keeps what a model ever called its latest version", () => {
    const history = createRecorder(() => 0);
    for (const version of ["run-1", "run-2", "run-2", "run-1"])
      history.model({ type: "added", object: makeModel(version) });
    expect(history.models.get("digits")?.named).toEqual(["run-1", "run-2", "run-1"]);
    history.model({ type: "deleted", object: makeModel("run-1") });
    expect(history.models.get("digits")?.latest).toBeUndefined();
  });

  test("writes down what changed, by the name of the run", () => {
    const history = createRecorder(() => 1.5);
    history.version({ type: "added", object: makeVersion() });
    history.version({ type: "added", object: makeVersion() });
    history.pod({ type: "added", object: makePod() });
    expect(history.lines).toEqual([
      { name: "run-1", text: "    1.50 version run-1 (version-uid) not begun" },
      { name: "run-1", text: "    1.50 pod pod " },
    ]);
  });
});
